"""The machine below the cluster: processes of containers, and what they find on their disks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .site import Site

_CHANGE_MOUNT = """\
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
process, place, size = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
entered = libc.setns(os.open(f"/proc/{process}/ns/mnt", os.O_RDONLY), 0)
changed = libc.mount(b"tmpfs", place, b"tmpfs", 0, b"size=" + size) if size else libc.umount(place)
sys.exit(os.strerror(ctypes.get_errno()) if entered or changed else 0)
"""


def main_process(site: Site, namespace: str, selector: str) -> int:
    """Return the first process of the only container of a pod, by its number on this machine."""
    words = ("pods", f"--namespace={namespace}", f"--selector={selector}", "--output=json")
    (pod,) = json.loads(site.kubectl("get", *words))["items"]
    (status,) = pod["status"]["containerStatuses"]
    container = status["containerID"].rpartition("/")[2]
    for place in Path("/proc").glob("[0-9]*"):
        try:
            is_its_own = container in (place / "cgroup").read_text("utf-8")
            state = (place / "status").read_text("utf-8")
        except OSError:  # it has ended meanwhile
            continue
        numbers = next(line for line in state.splitlines() if line.startswith("NSpid:"))
        # The API server's pod has a namespace of processes of its own, as every pod.
        if is_its_own and numbers.split()[-1] == "1":
            return int(place.name)
    raise AssertionError(f"{selector} in {namespace} has no process")


@contextmanager
def tiny_disk(process: int, place: str) -> Iterator[None]:
    """Have a directory that a process sees lie on an empty disk of one page, for a while."""
    _change_mount(process, place, "4k")
    try:
        yield
    finally:
        _change_mount(process, place, "")


def _change_mount(process: int, place: str, size: str) -> None:
    argv = (sys.executable, "-c", _CHANGE_MOUNT, str(process), place, size)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
