"""Every error becomes words and the exit code of its band, in one place."""

import pytest

from monoyard.bindings.errors import explain, report
from monoyard.errors import (
    ChecksFailedError,
    ConfigurationError,
    InterruptedRunError,
    MachineError,
    MonoyardError,
    RepositoryError,
    ToolError,
    UsageError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ChecksFailedError("x"), 1), (UsageError("x"), 2), (ConfigurationError("x"), 10),
        (RepositoryError("x"), 11), (MachineError("x"), 20), (ToolError("x"), 21),
        (InterruptedRunError("x"), 130), (MonoyardError("x"), 70), (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141), (OSError(28, "No space left on device", "/tmp"), 20),  # noqa: S108
        (ValueError("x"), 70),
    ],
)  # fmt: skip
def test_exit_codes(error: BaseException, code: int) -> None:
    """Each kind of error has the exit code of its band; what nobody foresaw is our own bug."""
    assert explain(error)[1] == code


def test_error_is_told_with_context_and_hint() -> None:
    """An error is its code and sentence, then its context, then what helps."""
    error = MachineError("no disk", code="disk-full", hint="remove files", context=("df: 100 %",))
    assert explain(error)[0] == [
        "error[disk-full]: no disk", "  df: 100 %", "hint: remove files",
    ]  # fmt: skip


def test_file_and_reason_of_the_system_are_told() -> None:
    """An error of the operating system names the file and the reason."""
    lines, _ = explain(PermissionError(13, "Permission denied", "/x"))
    assert lines == ["error[machine]: /x: Permission denied"]


def test_full_disk_without_a_name_is_the_machines() -> None:
    """What a write to an open file meets has no name, and is no fault of ours either."""
    assert explain(OSError(28, "No space left on device")) == (
        ["error[machine]: No space left on device"], 20,
    )  # fmt: skip


def test_own_bug_shows_where_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is one sentence and a hint; the traceback comes when it is asked for."""
    error = ValueError("odd")
    lines, _ = explain(error)
    assert lines[0] == "error[internal]: ValueError: odd"
    assert "MONOYARD_TRACEBACK=1" in lines[-1]
    monkeypatch.setenv("MONOYARD_TRACEBACK", "1")
    assert any("ValueError: odd" in line for line in explain(error)[0][1:-1])


def test_report_prints_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Errors are talk, not data: they go to standard error, and the exit code comes back."""
    assert report(UsageError("what?", hint="see `--help`")) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "error[usage]: what?\nhint: see `--help`\n")
