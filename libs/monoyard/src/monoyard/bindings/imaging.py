"""The images tasks of the invoke door."""

from __future__ import annotations

from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.engine import Engine
from monoyard.config import IMAGE_SUITE
from monoyard.errors import ConfigurationError
from monoyard.images import Base, DebianLock, ImageWork, resolve


def list_images(directory: Path, target: str | None) -> None:
    """Print every image: its digest where it is known for what is here now, else why it is not.

    Args:
        directory: A directory of the repository.
        target: Where JSON goes, as `answer` takes it; None for a table.
    """
    engine = Engine(directory, announce)
    plan = engine.plan(engine.selection(parse_arguments([]), (IMAGE_SUITE,)))
    rows = []
    for planned in plan.selected:
        task = planned.task
        if task.suite != IMAGE_SUITE or not isinstance(task.work, ImageWork):
            continue
        said = planned.stored.payload["log"] if planned.stored else planned.reason
        digest, _, size = str(said).partition(" ") if planned.stored else ("", "", "")
        rows.append(
            {
                "image": task.package, "state": planned.state.value, "base": task.work.base.name,
                "digest": digest, "size": size.strip("()"), "reason": planned.reason,
            }
        )  # fmt: skip
    width = max((len(row["image"]) for row in rows), default=0)
    lines = [
        f"{row['image']:{width}}  {row['digest'] or row['reason'] or 'to be built'}  {row['size']}"
        for row in rows
    ]
    answer(
        [line.rstrip() for line in lines] or ["the workspace has no images"],
        {"version": 1, "images": rows},
        target,
    )


def refresh_bases(directory: Path) -> None:
    """Resolve the Debian packages of all base images anew, write the lock, print what changed.

    Raises:
        ConfigurationError: No base is made of packages.
    """
    engine = Engine(directory, announce)
    settings = engine.workspace.settings.images
    bases = {name: base for name, base in settings.bases.items() if base.packages}
    if not bases:
        raise ConfigurationError(
            "no base image is made of Debian packages",
            hint='set `[tool.monoyard.images.bases.python] packages = ["python3-minimal", ...]`',
        )
    path = engine.repository.top / settings.lock
    old = DebianLock.parse(path.read_bytes() if path.is_file() else None, settings.lock)
    found = {}
    for name, base in bases.items():
        engine.announce(f"resolving base `{name}`")
        wanted = Base(name, base.packages, release=settings.debian)
        found[name] = resolve(wanted, engine.kept / "images" / "roots")
    new = DebianLock(found)
    changes = old.changes(new)
    for line in changes:
        print(line)
    if not changes:
        print("every base image is current")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(new.text(), encoding="utf-8")
    print(f"written: {settings.lock}")
