"""kubeadm: sets up a control plane. Tested with 1.34."""

from __future__ import annotations

import shlex
from pathlib import Path

_PREFIX = "KUBELET_KUBEADM_ARGS="


def phase(program: Path, *words: str, configuration: Path) -> tuple[str, ...]:
    """Return the call of one phase of `init`, such as `certs all`."""
    return (str(program), "init", "phase", *words, f"--config={configuration}")


def init(program: Path, configuration: Path, skipped: tuple[str, ...]) -> tuple[str, ...]:
    """Return the call that sets up a control plane, without some of its phases."""
    return (
        str(program), "init", f"--config={configuration}", f"--skip-phases={','.join(skipped)}",
        "--skip-token-print",
    )  # fmt: skip


def user_kubeconfig(program: Path, configuration: Path, name: str) -> tuple[str, ...]:
    """Return the call that prints a kubeconfig for a user, signed by the cluster's authority."""
    return (
        str(program), "kubeconfig", "user", f"--config={configuration}", f"--client-name={name}",
    )  # fmt: skip


def parse_kubelet_flags(text: str) -> tuple[str, ...]:
    """Return the arguments that kubeadm wrote for the kubelet into `kubeadm-flags.env`.

    Raises:
        ValueError: There are none.
    """
    for line in text.splitlines():
        if line.startswith(_PREFIX):
            return tuple(shlex.split(shlex.split(line.removeprefix(_PREFIX))[0]))
    raise ValueError("kubeadm wrote no arguments for the kubelet")
