"""Makes a database cluster, whole or not at all."""

from __future__ import annotations

import shutil
import subprocess
import tempfile

from eventflow_postgres.settings import Settings, SettingsError

# Passwords are asked for from everywhere, those who reach the container's socket included.
_ACCESS = "host all all all scram-sha-256\n"


class ClusterError(Exception):
    """There is no cluster, and none can be made."""


def make_cluster(settings: Settings) -> None:
    """Make an empty cluster, ready for connections from other containers.

    It is made beside its place and renamed: a container that was stopped meanwhile begins anew.

    Raises:
        ClusterError: It cannot be made.
        SettingsError: There is no password for its superuser.
    """
    if not settings.password:
        raise SettingsError("POSTGRES_PASSWORD_FILE or POSTGRES_PASSWORD is needed")
    unfinished = settings.cluster.with_name(f"{settings.cluster.name}.new")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as password:
            password.write(settings.password)
            password.flush()
            argv = (
                str(settings.programs / "initdb"), f"--pgdata={unfinished}", "--encoding=UTF8",
                f"--username={settings.user}", f"--pwfile={password.name}",
                "--auth=scram-sha-256", "--data-checksums", "--locale=C",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
            )  # fmt: skip
            done = subprocess.run(argv, check=False, capture_output=True, text=True)
        if done.returncode:
            raise ClusterError(f"no cluster was made: {done.stderr.strip()}")
        with (unfinished / "pg_hba.conf").open("a", encoding="utf-8") as access:
            access.write(_ACCESS)
        unfinished.rename(settings.cluster)
    except OSError as error:
        raise ClusterError(f"no cluster was made: {error}") from error
