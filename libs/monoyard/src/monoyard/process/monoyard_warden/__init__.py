"""A small supervisor that runs beside the engine, so that nothing outlives a run.

It is started with any Python interpreter (the engine's own, or that of a venv that has pytest
loaded and warm), reads requests as JSON lines on standard input and writes events as JSON lines on
standard output. Standard library only, and no import of the engine: it runs where the engine is not
installed.

    engine ── requests ──> warden ──fork──> keeper (one per task) ──fork──> the task
           <── events ────────────────────────┘

Each keeper is a child subreaper (Linux): what a task leaves behind, however it detached itself, is
reparented to its keeper and ended. When the engine dies, even by SIGKILL, the warden reads end of
file and stops every keeper; when the warden dies, the kernel tells the keepers (PR_SET_PDEATHSIG).
"""
