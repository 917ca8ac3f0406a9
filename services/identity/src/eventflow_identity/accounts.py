"""Accounts of users and of service clients: made, and proven to be who they say."""

import secrets
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from eventflow_identity.given import GivenClient
from eventflow_identity.passwords import Passwords
from eventflow_identity.tables import ClientRow, UserRow

_SECRET_BYTES = 32


class AccountExistsError(Exception):
    """The name is taken by another account."""


class CredentialsRefusedError(Exception):
    """Name and secret do not belong to an enabled account; which of them is wrong is not told."""


@dataclass(frozen=True)
class Account:
    """An account: the subject of its tokens and what they may allow."""

    subject: str
    scopes: tuple[str, ...]


class Accounts:
    """The accounts in the database behind `sessions`."""

    def __init__(self, sessions: sessionmaker[Session], passwords: Passwords) -> None:
        self._sessions = sessions
        self._passwords = passwords

    def add_user(self, email: str, password: str, scopes: Iterable[str]) -> Account:
        """Add a user and return the account; raise AccountExistsError when there is one."""
        row = UserRow(
            id=uuid.uuid4(),
            email=email.lower(),
            password_hash=self._passwords.hash(password),
            scopes=sorted(set(scopes)),
        )
        self._add(row)
        return _user_account(row)

    def add_client(self, client_id: str, scopes: Iterable[str]) -> tuple[Account, str]:
        """Add a service client; return its account and its secret, which nobody can ask again.

        Raises AccountExistsError.
        """
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        row = ClientRow(
            id=client_id, secret_hash=self._passwords.hash(secret), scopes=sorted(set(scopes))
        )
        self._add(row)
        return _client_account(row), secret

    def has_client(self, client_id: str) -> bool:
        """Return whether a service client of this name is there."""
        with self._sessions.begin() as session:
            return session.get(ClientRow, client_id) is not None

    def put_client(self, client: GivenClient) -> None:
        """Have a service client be as given; one that is disabled stays so."""
        scopes = sorted(client.scopes)
        with self._sessions.begin() as session:
            found = session.get(ClientRow, client.client_id)
        if (
            found is not None
            and found.scopes == scopes
            and self._passwords.check(client.secret, found.secret_hash).is_right
        ):
            return
        values = {"secret_hash": self._passwords.hash(client.secret), "scopes": scopes}
        # Other processes may be doing the same.
        made = insert(ClientRow).values(id=client.client_id, **values)
        with self._sessions.begin() as session:
            session.execute(made.on_conflict_do_update(index_elements=["id"], set_=values))

    def prove_user(self, email: str, password: str) -> Account:
        """Return the account of the user with this password; raise CredentialsRefusedError.

        Takes as long for an unknown address as for a wrong password.
        """
        with self._sessions.begin() as session:
            found = session.scalar(select(UserRow).where(UserRow.email == email.lower()))
        check = self._passwords.check(password, found.password_hash if found else None)
        if found is None or not check.is_right or found.disabled_at is not None:
            raise CredentialsRefusedError
        if check.renewed_hash is not None:
            with self._sessions.begin() as session:
                session.merge(found).password_hash = check.renewed_hash
        return _user_account(found)

    def prove_client(self, client_id: str, secret: str) -> Account:
        """Return the account of the client with this secret; raise CredentialsRefusedError."""
        with self._sessions.begin() as session:
            found = session.get(ClientRow, client_id)
        check = self._passwords.check(secret, found.secret_hash if found else None)
        if found is None or not check.is_right or found.disabled_at is not None:
            raise CredentialsRefusedError
        if check.renewed_hash is not None:
            with self._sessions.begin() as session:
                session.merge(found).secret_hash = check.renewed_hash
        return _client_account(found)

    def _add(self, row: UserRow | ClientRow) -> None:
        try:
            with self._sessions.begin() as session:
                session.add(row)
        except IntegrityError:
            raise AccountExistsError from None


def _user_account(row: UserRow) -> Account:
    return Account(subject=f"user:{row.id}", scopes=tuple(row.scopes))


def _client_account(row: ClientRow) -> Account:
    return Account(subject=f"client:{row.id}", scopes=tuple(row.scopes))


def given_client_check(accounts: Accounts, client: GivenClient) -> Callable[[], None]:
    """Return a check that a client is there as given; it sees to that itself.

    Its secret is set once in the life of a process: while another one is rolled out, processes with
    the old and the new one would set it against each other.
    """
    is_set = threading.Event()

    def check() -> None:
        if not (is_set.is_set() and accounts.has_client(client.client_id)):
            accounts.put_client(client)
            is_set.set()

    return check
