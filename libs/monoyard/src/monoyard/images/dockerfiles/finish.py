"""Makes an installed tree depend on its content alone, then compiles it. Runs inside the build.

Usage: finish.py TREE [TO]. With TO the tree is copied below it, under its own path, and everything
there has the time SOURCE_DATE_EPOCH: a layer made of it is the same whenever it is made, and need
not be written once more for that (`rewrite-timestamp`).

uv notes the time of a wheel's file in `uv_cache.json` (astral-sh/uv#10523); two builds would differ
by it. Compiled files carry a hash of their source instead of its time.
"""

import compileall
import os
import py_compile
import shutil
import sys
from pathlib import Path

NOTE = "uv_cache.json"

place = Path(sys.argv[1])
for note in place.rglob(f"*.dist-info/{NOTE}"):
    record = note.with_name("RECORD")
    kept = [line for line in record.read_text("utf-8").splitlines(True) if f"/{NOTE}," not in line]
    record.write_text("".join(kept), encoding="utf-8")
    note.unlink()
(place / ".lock").unlink(missing_ok=True)
compiled = compileall.compile_dir(
    place, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
)
if not compiled:
    sys.exit(1)
for target in map(Path, sys.argv[2:]):
    shutil.copytree(place, target / place.relative_to("/"), symlinks=True)
    moment = int(os.environ["SOURCE_DATE_EPOCH"])
    for path in (target, *target.rglob("*")):
        os.utime(path, (moment, moment), follow_symlinks=False)
