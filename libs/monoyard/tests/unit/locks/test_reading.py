from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monoyard.locks import Lock, closure, from_data, kind_of, parse_lock, read_lock, to_data

Read = Callable[[str], Lock]

REAL = [
    "uv.lock",
    "pylock.toml",
    "pylock.pip.toml",
    "export.txt",
    "universal.txt",
    "uv-line.txt",
    "pip-compile.txt",
    "pip-compile-line.txt",
    "pip-compile-bare.txt",
]
FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("name", REAL)
def test_packed_locks_come_back_equal(real_lock: Read, name: str) -> None:
    """A lock that went through JSON is the lock that was parsed."""
    lock = real_lock(name)
    assert from_data(json.loads(json.dumps(to_data(lock)))) == lock


@pytest.mark.parametrize(
    ("name", "text"), [("r.txt", "--pre\na==1\n    # via b\n"), ("uv.lock", "[["), ("r.txt", "{}")]
)
def test_packed_doubts_come_back_too(name: str, text: str) -> None:
    """Options, problems and the verdict that a lock is unreadable survive, so none is forgotten."""
    lock = parse_lock(name, text.encode())
    assert from_data(json.loads(json.dumps(to_data(lock)))) == lock


def test_packed_locks_of_another_engine_are_refused(real_lock: Read) -> None:
    """What an older engine packed is parsed anew, however much it looks like ours."""
    data = to_data(real_lock("uv.lock"))
    with pytest.raises(ValueError, match=r"^the data was packed by another version$"):
        from_data([0, *data[1:]])


@pytest.mark.parametrize(
    "data", [None, 3, [], "text", [0] * 10, [1, "p", "uv", [[1]], [], None, None, [], None, True]]
)
def test_other_data_is_refused(data: object) -> None:
    """Data of another shape raises ValueError and nothing else."""
    with pytest.raises(ValueError, match=r".*"):
        from_data(data)


def test_what_is_no_list_is_no_packed_lock() -> None:
    """The error says what the data is not, whatever Python says of it."""
    with pytest.raises(ValueError, match=r"^the data is not a packed lock$"):
        from_data(None)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("uv.lock", "uv"),
        ("services/api/uv.lock", "uv"),
        ("pylock.toml", "pylock"),
        ("locks/pylock.api.toml", "pylock"),
        ("pylock.txt", "requirements"),
        ("lock.toml", "requirements"),
        ("requirements/dev.txt", "requirements"),
    ],
)
def test_the_file_name_decides_the_format(path: str, kind: str) -> None:
    """Only the names that uv and PEP 751 reserve are TOML; the directory does not matter."""
    assert kind_of(path) == kind


def test_files_are_read_from_the_disk(tmp_path: Path) -> None:
    """A lock on disk is what its bytes are, under its path or the name it is given."""
    path = tmp_path / "r.txt"
    path.write_bytes(b"a==1\n    # via b\n")
    assert read_lock(path, "r.txt") == parse_lock("r.txt", path.read_bytes())
    assert read_lock(path) == parse_lock(path.as_posix(), path.read_bytes())


def test_missing_file_is_a_lock_with_a_problem(tmp_path: Path) -> None:
    """A lock that is not there is a reason to select everything, not an exception."""
    lock = read_lock(tmp_path / "uv.lock", "uv.lock")
    assert (lock.kind, lock.is_readable) == ("uv", False)
    assert lock.problem == "it cannot be read: No such file or directory"
    assert closure(lock, ["a"]).reason == "uv.lock: it cannot be read: No such file or directory"


def test_bytes_that_are_no_text_are_a_problem() -> None:
    """A binary file is named as such."""
    assert parse_lock("requirements.txt", b"\xff\xfe").problem == "it is not text in UTF-8"


@settings(max_examples=150)
@given(
    name=st.sampled_from(["uv.lock", "pylock.toml", "requirements.txt"]),
    text=st.text(alphabet='ab1=[]{}"#\\\n\t ;@-.:/,<>~!é\x00via', max_size=80),
)
def test_no_text_raises(name: str, text: str) -> None:
    """Whatever a file holds, reading it gives a lock, and asking it gives a closure."""
    found = closure(parse_lock(name, text.encode()), ["a", "b[x]", text])
    assert found.complete is (found.reason is None)


@settings(max_examples=100)
@given(name=st.sampled_from(REAL), start=st.integers(0, 5000), length=st.integers(1, 400))
def test_cut_locks_do_not_raise(name: str, start: int, length: int) -> None:
    """A real lock with a hole gives a lock, and what cannot be read gives its reason."""
    content = (FIXTURES / name).read_bytes()
    lock = parse_lock(name, content[:start] + content[start + length :])
    assert lock.is_readable or lock.problem
    assert closure(lock, ["x"]).complete <= lock.is_readable
