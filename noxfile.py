"""Sessions of this repository: `nox -l` lists them, `nox -s ci -- --help` explains the options."""

from pathlib import Path

from monoyard.bindings.nox import register

register(Path(__file__).parent, maintains_engine=True)
