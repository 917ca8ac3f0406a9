"""Finding and installing what tasks need: venvs, tools, npm packages, a database server."""

from monoyard.install.ci import is_ci
from monoyard.install.daemons import DAEMONS, REGISTRY_PORT, Daemons
from monoyard.install.interpreters import LocalInterpreters
from monoyard.install.lock_writing import write_locks
from monoyard.install.locking import Claims, OutputLocks, exclusive
from monoyard.install.node_modules import ensure_node_modules
from monoyard.install.postgres import PostgresServer, prepare_postgres
from monoyard.install.table import GROUPS, TABLE, Tool
from monoyard.install.tools import Tools
from monoyard.install.uv import installer_environment, run_uv, uv_program, uv_version
from monoyard.install.venvs import Venvs

__all__ = [
    "DAEMONS",
    "GROUPS",
    "REGISTRY_PORT",
    "TABLE",
    "Claims",
    "Daemons",
    "LocalInterpreters",
    "OutputLocks",
    "PostgresServer",
    "Tool",
    "Tools",
    "Venvs",
    "ensure_node_modules",
    "exclusive",
    "installer_environment",
    "is_ci",
    "prepare_postgres",
    "run_uv",
    "uv_program",
    "uv_version",
    "write_locks",
]
