"""Secrets in values and in command lines."""

import pytest

from monoyard.process import Secret, redact_argv


def test_secret_shows_itself_only_on_request() -> None:
    """A secret is hidden in `str`, `repr` and formatted text, and opened by `reveal`."""
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {secret!s:>20}"
    assert secret.reveal() == "hunter2"


def test_secrets_compare_by_value() -> None:
    """Two secrets of the same value are equal, and equal to nothing else."""
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (("psql", "--password", "p"), ("psql", "--password", "[redacted]")),
        (("x", "--api-key=k", "-v"), ("x", "--api-key=[redacted]", "-v")),
        (("x", "--registry-token", "t", "go"), ("x", "--registry-token", "[redacted]", "go")),
        (("x", "https://me:pw@host/a"), ("x", "https://me:[redacted]@host/a")),
        (("x", "--url=postgresql://u:p@db/x"), ("x", "--url=postgresql://u:[redacted]@db/x")),
        (("x", "https://host:8080/a@b"), ("x", "https://host:8080/a@b")),
        (("echo", "password", "stays"), ("echo", "password", "stays")),
        (("x", "DB_PASSWORD=p"), ("x", "DB_PASSWORD=[redacted]")),
        (("curl", "-H", "Authorization: Bearer t"), ("curl", "-H", "Authorization: [redacted]")),
    ],
)
def test_command_lines_hide_what_looks_secret(
    argv: tuple[str, ...], shown: tuple[str, ...]
) -> None:
    """Values of sensitive options, variables and headers, and passwords in URLs, are hidden."""
    assert redact_argv(argv) == shown
