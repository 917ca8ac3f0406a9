"""The invoke door: tasks that ask and act. With `nox.py`, the only importer of its host.

    # tasks.py
    from pathlib import Path
    from monoyard.bindings.invoke import collection
    namespace = collection(Path(__file__).parent)

Packages come after `--`, as at the nox door, because invoke has no variadic arguments.
"""

from __future__ import annotations

from pathlib import Path

from invoke.collection import Collection

from monoyard.bindings.invoke_backups import backup_tasks
from monoyard.bindings.invoke_checks import (
    cache_tasks,
    migrations_tasks,
    questions_tasks,
    tools_tasks,
)
from monoyard.bindings.invoke_delivery import (
    cluster_tasks,
    deploy_tasks,
    environments_tasks,
    lease_tasks,
)
from monoyard.bindings.invoke_images import images_tasks


def collection(directory: Path) -> Collection:
    """Return every task for the repository that `directory` lies in."""
    root = Collection()
    for item in (*questions_tasks(directory), *environments_tasks(directory)):
        root.add_task(item)
    for name, items in (
        ("backup", backup_tasks(directory)),
        ("cache", cache_tasks(directory)),
        ("cluster", cluster_tasks(directory)),
        ("deploy", deploy_tasks(directory)),
        ("images", images_tasks(directory)),
        ("lease", lease_tasks(directory)),
        ("migrations", migrations_tasks(directory)),
        ("tools", tools_tasks(directory)),
    ):
        inner = Collection(name)
        for item in items:
            inner.add_task(item)
        root.add_collection(inner)
    return root
