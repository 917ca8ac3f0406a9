"""`python -m monoyard_recorder MODULE ARGUMENTS`: what `python -m MODULE ARGUMENTS` does, recorded.

For forks of an interpreter that is up already, which no `sitecustomize` reaches.
"""

import runpy
import sys

from . import install

install()
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
