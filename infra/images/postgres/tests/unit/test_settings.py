"""What the container's environment says."""

from pathlib import Path

import pytest

from eventflow_postgres.settings import Settings, SettingsError


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with a server."""
    (tmp_path / "postgres").touch(mode=0o755)
    return str(tmp_path)


def test_defaults(path: str) -> None:
    """Without settings it listens everywhere, as the image says, on data in the volume."""
    settings = Settings.read({"PATH": path})
    assert settings.cluster == Path("/var/lib/postgresql/data/cluster")
    expected = ("-D", "/var/lib/postgresql/data/cluster", "-p", "5432", "-h", "*")
    assert settings.arguments[:6] == expected


def test_password_of_a_file_wins_and_is_not_shown(path: str, tmp_path: Path) -> None:
    """A mounted secret is read without its last line end, and no trace shows it."""
    secret = tmp_path / "secret"
    secret.write_text("from file\n", encoding="utf-8")
    named = {"POSTGRES_PASSWORD_FILE": str(secret), "POSTGRES_PASSWORD": "from variable"}
    settings = Settings.read({"PATH": path, **named})
    assert settings.password == "from file"
    assert "from file" not in repr(settings)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"PORT": "http"}, "PORT: `http` is no port"),
        ({"POSTGRES_PASSWORD_FILE": "/nowhere"}, "POSTGRES_PASSWORD_FILE"),
        ({"PATH": "/nowhere"}, "postgres is not on PATH"),
    ],
)
def test_what_cannot_be_read_is_told(path: str, more: dict[str, str], said: str) -> None:
    """A fault names its variable."""
    with pytest.raises(SettingsError, match=said):
        Settings.read({"PATH": path, **more})
