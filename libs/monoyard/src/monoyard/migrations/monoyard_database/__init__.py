"""Programs that run where the engine is not installed: in a service's venv, in its image.

They need the standard library and what the service has anyway (alembic, SQLAlchemy, a driver).
Each prints JSON lines on standard output, and talks on standard error.
"""
