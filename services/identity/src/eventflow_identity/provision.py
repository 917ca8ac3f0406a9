"""Makes the first accounts and keys, where nobody can sign in yet to make them over HTTP.

`python -m eventflow_identity.provision signing-key` prints a new private key.
`... user EMAIL --scope S` reads the password from standard input and prints the subject.
`... client ID --scope S` prints the secret of the new client.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import TextIO, get_args

from pydantic import SecretStr, ValidationError

from eventflow_identity.accounts import AccountExistsError, Accounts
from eventflow_identity.application import create_accounts
from eventflow_identity.keys import new_signing_key_pem
from eventflow_identity.messages import NewClient, NewUser, Scope
from eventflow_identity.settings import IdentitySettings
from eventflow_servicekit.database import create_database_engine
from eventflow_servicekit.settings import SettingsError, load_settings

EXISTS_EXIT = 1
USAGE_EXIT = 2
SETTINGS_EXIT = 10


def main(
    arguments: Sequence[str] | None = None,
    *,
    stdin: TextIO = sys.stdin,
    stdout: TextIO = sys.stdout,
) -> int:
    """Run one command; return the exit code.

    It is 1 when the account exists, 2 for an unusable name or password, 10 for unusable
    settings.
    """
    options = _parser().parse_args(arguments)
    if options.command == "signing-key":
        stdout.write(new_signing_key_pem())
        return 0
    try:
        settings = load_settings(IdentitySettings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return SETTINGS_EXIT
    engine = create_database_engine(settings, application_name="eventflow-identity-provision")
    try:
        stdout.write(f"{_add(create_accounts(settings, engine), options, stdin)}\n")
    except ValidationError as error:
        for fault in error.errors(include_input=False):
            sys.stderr.write(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}\n")
        return USAGE_EXIT
    except AccountExistsError:
        sys.stderr.write(f"{options.name} has an account already\n")
        return EXISTS_EXIT
    finally:
        engine.dispose()
    return 0


def _add(accounts: Accounts, options: argparse.Namespace, stdin: TextIO) -> str:
    if options.command == "client":
        client = NewClient(client_id=options.name, scopes=options.scope)
        _, secret = accounts.add_client(client.client_id, client.scopes)
        return secret
    # The password comes by standard input, because everyone can see the arguments of a process.
    password = SecretStr(stdin.readline().rstrip("\n"))
    new = NewUser(email=options.name, password=password, scopes=options.scope)
    return accounts.add_user(new.email, new.password.get_secret_value(), new.scopes).subject


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="eventflow-identity-provision", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("signing-key", help="print a new private key")
    for command, name in (("user", "email"), ("client", "id")):
        added = commands.add_parser(command, help=f"add a {command}")
        added.add_argument("name", metavar=name)
        added.add_argument("--scope", action="append", choices=get_args(Scope), default=[])
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
