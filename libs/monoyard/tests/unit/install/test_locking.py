"""Locks of the directories that tasks leave files in."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from monoyard.install import OutputLocks


def test_all_locks_or_none(tmp_path: Path) -> None:
    """Whoever cannot have all has none of them, so that two never wait for each other."""
    one, other = OutputLocks(tmp_path), OutputLocks(tmp_path)
    assert one.take(["web", "web", "a/b"])
    assert not other.take(["api", "web"])
    assert one.take(["api"]), "the other one gave it back"
    one.give_back("web")
    assert other.take(["web"])
    one.close()
    assert other.take(["api", "a/b"])
    other.close()


def test_reader_waits_for_whoever_builds(tmp_path: Path) -> None:
    """A copy begins when the building has ended, readers disturb no reader, and builders wait."""
    builder, reader = OutputLocks(tmp_path), OutputLocks(tmp_path)
    assert builder.take(["web"])
    is_built = False

    def read() -> bool:
        with reader.reading("web"):
            return is_built

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        is_built = True
        builder.give_back("web")
        assert reading.result(60)
    with reader.reading("web"), reader.reading("web"):
        assert not builder.take(["web"])
        assert builder.take(["api"])
    assert builder.take(["web"])
    builder.close()
