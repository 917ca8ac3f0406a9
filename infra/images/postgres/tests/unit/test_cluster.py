"""Making a database cluster, with a stand-in for `initdb`; the image is tried with the real one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eventflow_postgres.cluster import ClusterError, make_cluster
from eventflow_postgres.settings import Settings, SettingsError

INITDB = """\
#!{python}
import pathlib, sys
options = dict(word.partition("=")[::2] for word in sys.argv[1:])
place = pathlib.Path(options["--pgdata"])
place.mkdir()
(place / "pg_hba.conf").write_text("local all all scram-sha-256\\n")
(place / "password").write_text(pathlib.Path(options["--pwfile"]).read_text())
(place / "options").write_text(" ".join(sys.argv[1:]))
sys.exit("no room" if {fails} else 0)
"""


def prepare(place: Path, *, fails: bool = False, word: str = "word") -> Settings:
    """Return settings whose `initdb` works, or leaves something and fails."""
    programs = place / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("initdb", "postgres"):
        (programs / name).write_text(INITDB.format(python=sys.executable, fails=fails), "utf-8")
        (programs / name).chmod(0o755)
    environment = {
        "PATH": str(programs), "PGDATA": str(place / "cluster"), "POSTGRES_PASSWORD": word,
    }  # fmt: skip
    return Settings.read(environment)


def test_cluster_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    """What a failure leaves is never taken for a cluster, and the next start begins anew."""
    failing = prepare(tmp_path, fails=True)
    with pytest.raises(ClusterError, match="no room"):
        make_cluster(failing)
    assert not failing.cluster.exists()
    make_cluster(prepare(tmp_path))
    assert (failing.cluster / "password").read_text("utf-8") == "word"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("cluster")] == [
        "cluster"
    ]


def test_everybody_needs_the_password(tmp_path: Path) -> None:
    """Connections from elsewhere are asked for it, and so are those inside of the container."""
    settings = prepare(tmp_path)
    make_cluster(settings)
    rules = (settings.cluster / "pg_hba.conf").read_text("utf-8").splitlines()
    assert rules == ["local all all scram-sha-256", "host all all all scram-sha-256"]
    options = (settings.cluster / "options").read_text("utf-8").split()
    assert {"--auth=scram-sha-256", "--username=postgres", "--data-checksums"} <= set(options)
    assert "word" not in " ".join(options)


def test_cluster_without_a_password_is_not_made(tmp_path: Path) -> None:
    """An open database is no default."""
    with pytest.raises(SettingsError, match="POSTGRES_PASSWORD"):
        make_cluster(prepare(tmp_path, word=""))
