"""The chart tasks of the invoke door, and the check that `lint` runs."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from monoyard.bindings.announcing import announce
from monoyard.bindings.engine import Engine
from monoyard.charts import (
    ChartChecks,
    ChartFinding,
    Charts,
    Snapshots,
    compared,
    kubernetes_version,
    make_schemas,
    read_sources,
)
from monoyard.config import WorkspaceSettings
from monoyard.config.environments import Environments, read_environments
from monoyard.config.policy import read_policy
from monoyard.errors import ChecksFailedError, ConfigurationError, MachineError

_FILE = "environment.toml"


def check_charts(
    directory: Path,
    target: str | None = None,
    *,
    update: bool = False,
    helm: Path | None = None,
    kubeconform: Path | None = None,
) -> None:
    """Render every service in every environment and say what is wrong with it.

    Args:
        directory: A directory of the repository.
        target: None for lines, empty for JSON on standard output, else a file for JSON.
        update: Write the snapshots instead of comparing with them.
        helm: The program; None for the engine's.
        kubeconform: The program; None for the engine's.

    Raises:
        ChecksFailedError: Something is wrong.
        ConfigurationError: The environments or the policy have faults.
    """
    engine = Engine(directory, announce)
    top, settings = engine.repository.top, engine.settings
    environments = find_environments(top, settings)
    policy_file = top / settings.images.policy
    policy = read_policy(
        policy_file.read_bytes() if policy_file.is_file() else None, settings.images.policy
    )
    delivery = settings.delivery
    version = kubernetes_version(delivery, top)
    charts = Charts(top, delivery, helm or engine.tools.ensure("helm"), version)
    program = kubeconform or engine.tools.ensure("kubeconform")
    checks = ChartChecks(top, charts, program, delivery.schemas)
    checked = checks.run(environments, policy, has_chart=bool(delivery.environment_chart))
    parted, written = compared(Snapshots(top / delivery.snapshots), checked.rendered, update=update)
    findings = (*checked.findings, *parted)
    for name in written:
        print(f"wrote {delivery.snapshots}/{name}", file=sys.stderr)
    _say(findings, len(checked.rendered), target)
    if findings:
        raise ChecksFailedError(f"{len(findings)} faults in charts, values or environments")


def find_environments(top: Path, settings: WorkspaceSettings) -> Environments:
    """Read the environments of a repository.

    Raises:
        ConfigurationError: There are none, or they have faults.
    """
    place = settings.delivery.environments
    files = {
        path.parent.name: (path.relative_to(top).as_posix(), path.read_bytes())
        for path in sorted((top / place).glob(f"*/{_FILE}"))
    }
    if not files:
        raise ConfigurationError(
            f"there is no environment in {place}", code="no-environments",
            hint=f"an environment is a directory with `{_FILE}` in `delivery.environments`",
        )  # fmt: skip
    return read_environments(files)


def write_schemas(directory: Path) -> None:
    """Make the schemas again from the modules that `sources.toml` beside them pins.

    Raises:
        ConfigurationError: A module is not what was pinned.
        MachineError: There is no Go.
        ToolError: A module cannot be fetched.
    """
    engine = Engine(directory, announce)
    name = engine.settings.delivery.schemas
    place = engine.repository.top / name
    list_of_sources = place / "sources.toml"
    if not list_of_sources.is_file():
        raise ConfigurationError(f"{name}/sources.toml names the modules; it is not there")
    go = shutil.which("go")
    if go is None:
        raise MachineError("go is not on PATH", code="program-missing", hint="go.dev/doc/install")
    sources = read_sources(list_of_sources.read_bytes(), f"{name}/sources.toml")
    files = make_schemas(sources, Path(go))
    for path in place.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for file, text in files.items():
        (place / file).write_text(text, "utf-8")
    print(f"{len(files) - 1} schemas in {name}", file=sys.stderr)


def _say(findings: tuple[ChartFinding, ...], count: int, target: str | None) -> None:
    if target is None:
        for finding in findings:
            print(finding)
        print(f"{count} rendered, {len(findings)} faults", file=sys.stderr)
        return
    data: dict[str, Any] = {
        "schema": "monoyard.charts/1",
        "rendered": count,
        "findings": [
            {
                "rule": item.rule, "environment": item.environment, "service": item.service,
                "object": item.thing, "field": item.field, "message": item.message,
            }
            for item in findings
        ],
    }  # fmt: skip
    said = json.dumps(data, indent=2) + "\n"
    if target:
        Path(target).write_text(said, "utf-8")
    else:
        print(said, end="")
