"""The two doors: `nox.py` and `invoke.py`, the only importers of their hosts."""
