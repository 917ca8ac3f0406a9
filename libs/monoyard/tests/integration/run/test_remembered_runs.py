"""A run in which nothing has changed is told again without a plan, and never a wrong one."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Checkout, Ended


def _lint(checkout: "Checkout") -> "tuple[Ended, bool]":
    """Run a session; say whether it was planned."""
    ended = checkout.nox("lint", env={"PYTHONPROFILEIMPORTTIME": "1"})
    return ended, "monoyard.plan" in ended.err


def _remembered(checkout: "Checkout") -> None:
    """Run the session until it is remembered: not in the second in which git read the files."""
    for _ in range(20):
        ended, _ = _lint(checkout)
        assert ended.code == 0, ended.text
        if (checkout.top / ".monoyard" / "seen").exists():
            return
    raise AssertionError("no run was remembered")


def _record(checkout: "Checkout") -> tuple[dict[str, Any], str]:
    newest = max((checkout.top / ".monoyard" / "runs").iterdir())
    data = json.loads((newest / "run.json").read_text("utf-8"))
    junit = (newest / "junit.xml").read_text("utf-8")
    assert data.pop("run") == newest.name
    return {**data, "seconds": 0}, re.sub('time="[0-9.]+"', "", junit, count=1)


def _said(ended: "Ended") -> str:
    return re.sub(r"in [0-9.]+ s", "", ended.out)


def test_told_again(checkout: "Checkout") -> None:
    """What is told and recorded without a plan is what a plan would have told."""
    _remembered(checkout)
    told, was_planned = _lint(checkout)
    assert told.code == 0, told.text
    assert not was_planned
    assert "PASS: 2 tasks, 2 from cache" in told.out
    record = _record(checkout)
    shutil.rmtree(checkout.top / ".monoyard" / "seen")
    again, was_planned = _lint(checkout)
    assert was_planned
    assert _said(again) == _said(told)
    assert _record(checkout) == record


def test_changes_are_planned(checkout: "Checkout") -> None:
    """An edit in disguise and an emptied store end what was remembered."""
    _remembered(checkout)
    place = checkout.top / "libs/beta/src/beta/__init__.py"
    before, text = place.stat(), place.read_text("utf-8")
    place.write_text(text.replace("return 42", "return 4_"), encoding="utf-8")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    broken, _ = _lint(checkout)
    assert broken.code == 1, broken.text
    place.write_text(text, encoding="utf-8")
    assert _lint(checkout)[0].code == 0
    assert not _lint(checkout)[1]
    checkout.invoke("cache.clear")
    cleared, was_planned = _lint(checkout)
    assert was_planned
    assert "2 tasks, 0 from cache" in cleared.out


def test_failures_are_never_remembered(checkout: "Checkout") -> None:
    """What fails is looked at again in each run, and so is what follows its repair."""
    place = checkout.write("libs/beta/src/beta/__init__.py", "import os\n")
    for _ in range(2):
        ended, was_planned = _lint(checkout)
        assert ended.code == 1
        assert was_planned
    Path(place).write_text("def answer() -> int:\n    return 42\n", encoding="utf-8")
    assert _lint(checkout)[0].code == 0
