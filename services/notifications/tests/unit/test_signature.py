"""Signatures of webhooks."""

import pytest

from eventflow_notifications.signature import is_genuine, sign

BODY = b'{"id":"d-1"}'
SECRET = "a shared secret"
AT = 1_772_366_400


def test_known_value() -> None:
    """The header is what receivers in other languages compute from its description."""
    # printf '1772366400.{"id":"d-1"}' | openssl dgst -sha256 -hmac 'a shared secret'
    digest = "b4db18bb21acea74a656739c3d237706295ab633a97c143028329f3661aad6db"
    assert sign(BODY, SECRET, at=AT) == f"t={AT},v1={digest}"


def test_own_signature_is_genuine() -> None:
    """A receiver accepts what was signed a moment ago."""
    assert is_genuine(sign(BODY, SECRET, at=AT), BODY, SECRET, now=AT + 10)


@pytest.mark.parametrize("now", [AT - 301, AT + 301])
def test_old_signature_is_not_genuine(now: int) -> None:
    """A recorded request cannot be replayed after five minutes, nor one from the future."""
    assert not is_genuine(sign(BODY, SECRET, at=AT), BODY, SECRET, now=now)


def test_signature_covers_body_secret_and_time() -> None:
    """Changing anything that was signed makes it worthless."""
    value = sign(BODY, SECRET, at=AT)
    assert not is_genuine(value, BODY + b" ", SECRET, now=AT)
    assert not is_genuine(value, BODY, SECRET + "!", now=AT)
    assert not is_genuine(value.replace(f"t={AT}", f"t={AT + 1}"), BODY, SECRET, now=AT)


@pytest.mark.parametrize("value", ["", "t=,v1=", f"t={AT}", "v1=" + "0" * 64, "t=1,v1=xyz"])
def test_anything_else_is_not_genuine(value: str) -> None:
    """A header of another form is refused, not a crash."""
    assert not is_genuine(value, BODY, SECRET, now=AT)
