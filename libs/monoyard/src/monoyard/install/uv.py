"""Calls of uv, the installer of every venv; it comes with the engine."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from monoyard.errors import MachineError, ToolError
from monoyard.process import PROXIES, Command, Completed, capture, clean

_DECLARED = (
    "UV_*", "PIP_*", "XDG_*", "NETRC", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS", "NPM_CONFIG_*", "npm_config_*", *PROXIES,
)  # fmt: skip
_OFFLINE_SIGNS = (
    "dns error",
    "failed to fetch",
    "error sending request",
    "connection refused",
    "network is unreachable",
    "could not connect",
    "operation timed out",
    "failed to lookup address",
    "tcp connect error",
    "network connectivity is disabled",
)


def uv_program() -> Path:
    """Return uv's program, installed beside the engine.

    Raises:
        MachineError: It is not there.
    """
    for directory in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent)):
        candidate = Path(directory) / "uv"
        if candidate.is_file():
            return candidate
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        candidate = Path(directory) / "uv"
        if directory and candidate.is_file():
            return candidate
    raise MachineError("uv is not installed beside the engine", hint="python3 -m pip install uv")


def uv_version() -> str:
    """Return uv's version: that of the distribution beside it, else what it says itself.

    Raises:
        MachineError: It is not there.
    """
    program = uv_program()
    for place in program.parent.parent.glob("lib/python*/site-packages/uv-*.dist-info"):
        return place.name.removeprefix("uv-").removesuffix(".dist-info")
    said = capture(Command((str(program), "--version"), Path("/"), clean(), timeout=30)).text
    return said.split(" ")[1] if " " in said else said


def run_uv(arguments: Sequence[str], *, cwd: Path, doing: str) -> Completed:
    """Run uv and explain a failure.

    Args:
        arguments: What to do.
        cwd: Working directory.
        doing: Words for the error, such as `install the venv of requirements/workspace.txt`.

    Raises:
        MachineError: There is no network.
        ToolError: uv failed for another reason; the context is what it said.
    """
    command = Command(
        (str(uv_program()), *arguments), cwd, installer_environment(), dies_with_parent=True
    )
    done = capture(command)
    if done.status == 0:
        return done
    said = done.stderr.decode("utf-8", "replace").lower()
    if any(sign in said for sign in _OFFLINE_SIGNS):
        raise MachineError(
            f"cannot {doing}: a package index cannot be reached",
            code="no-network",
            hint="connect once, or set UV_INDEX_URL to an index that can be reached; "
            "what is installed already keeps working",
            context=done.last_lines,
        )
    raise ToolError(f"cannot {doing}", code="install-failed", context=done.last_lines)


def installer_environment() -> dict[str, str]:
    """Return the environment of installers: the short list, proxies and the installers' own."""
    return clean(_DECLARED)
