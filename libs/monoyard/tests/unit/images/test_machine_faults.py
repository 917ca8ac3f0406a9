"""What the end of a program that said nothing comes to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monoyard.errors import MachineError
from monoyard.images.machine_faults import refuse_crash_of_full_disk


@pytest.mark.parametrize(("free", "is_full"), [(0, True), (1 << 20, True), (1 << 30, False)])
def test_program_that_a_full_disk_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, *, is_full: bool
) -> None:
    """Whatever its last words, where nothing fits any more that is told; else it is left open."""
    usage = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    if not is_full:
        refuse_crash_of_full_disk(["unexpected fault address"], tmp_path)
        return
    with pytest.raises(MachineError, match="the disk is full") as caught:
        refuse_crash_of_full_disk(["unexpected fault address"], tmp_path)
    assert caught.value.context == ("unexpected fault address",)
