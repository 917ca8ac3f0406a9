"""Passwords: hashed, checked, renewed, and never told apart by time."""

import threading

import pytest
from argon2 import PasswordHasher

from eventflow_identity.passwords import Passwords


def cheap(passes: int = 1, checks_at_once: int = 2) -> Passwords:
    """Return passwords whose hashes cost almost nothing."""
    return Passwords(memory=8, passes=passes, lanes=1, checks_at_once=checks_at_once)


def test_right_password_fits_and_wrong_does_not() -> None:
    """Only the password that was hashed fits its hash."""
    passwords = cheap()
    stored = passwords.hash("correct horse")
    assert passwords.check("correct horse", stored).is_right
    assert not passwords.check("battery staple", stored).is_right


def test_hash_does_not_hold_the_password_and_is_salted() -> None:
    """Two hashes of one password differ, and neither shows it."""
    passwords = cheap()
    first, second = passwords.hash("correct horse"), passwords.hash("correct horse")
    assert first != second
    assert "correct" not in first
    assert first.startswith("$argon2id$")


def test_unknown_account_costs_one_check_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no hash, another one of the same cost is checked, once, and is never right."""
    checked: list[str] = []
    verify = PasswordHasher.verify

    def noting(self: PasswordHasher, stored: str, password: str) -> bool:
        checked.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", noting)
    passwords = cheap()
    assert not passwords.check("anything", None).is_right
    assert not passwords.check("anything", passwords.hash("other")).is_right
    costs = [stored.split("$")[:4] for stored in checked]
    assert len(costs) == 2
    assert costs[0] == costs[1]


def test_hash_of_older_cost_is_renewed() -> None:
    """A right password with a hash of other parameters brings a new hash; a wrong one does not."""
    stored = cheap(passes=1).hash("correct horse")
    stronger = cheap(passes=2)
    renewed = stronger.check("correct horse", stored).renewed_hash
    assert renewed is not None
    assert "t=2" in renewed
    assert stronger.check("correct horse", renewed).renewed_hash is None
    assert stronger.check("battery staple", stored).renewed_hash is None


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$broken"])
def test_unreadable_hash_is_never_right(stored: str) -> None:
    """A damaged hash refuses the password and does not crash."""
    assert not cheap().check("plain", stored).is_right


def test_checks_at_the_same_time_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more checks run at once than allowed, so that sign-ins cannot take all memory."""
    running, most = 0, 0
    lock, both_waited = threading.Lock(), threading.Barrier(2)

    def counted(_self: PasswordHasher, _stored: str, _password: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        # Passes only while two checks are inside.
        both_waited.wait(timeout=90)
        with lock:
            running -= 1
        return True

    passwords = cheap(checks_at_once=2)
    stored = passwords.hash("x")
    monkeypatch.setattr(PasswordHasher, "verify", counted)
    threads = [threading.Thread(target=passwords.check, args=("x", stored)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
