"""Which images are needed somewhere: by the word of lists, and by what environments say."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Final

from monoyard.bindings.charting import find_environments
from monoyard.bindings.engine import Engine
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.config.environments import Environments
from monoyard.delivery import Ledger, MachineClock
from monoyard.delivery.access import Connect, enter, find_access
from monoyard.deployment import needed_images
from monoyard.errors import ClusterError, ConfigurationError, MonoyardError

_RUNNING: Final = re.compile(r"(?:\S+@)?(sha256:[0-9a-f]{64})")


def environments_to_ask(engine: Engine, without: Collection[str]) -> list[EnvironmentSettings]:
    """Return the environments of a repository but for some; none where it has none.

    Raises:
        ConfigurationError: They have faults.
        UsageError: There is none of such a name.
    """
    try:
        found = find_environments(engine.repository.top, engine.settings)
    except ConfigurationError as error:
        if error.code != "no-environments":
            raise
        found = Environments({})
    left_out = [found.named(name) for name in without]
    return [item for item in found.by_name.values() if item not in left_out]


def ask_environments(
    engine: Engine,
    environments: Iterable[EnvironmentSettings],
    doubt: Callable[[MonoyardError], None],
    open_namespace: Connect | None = None,
) -> dict[str, str]:
    """Return the digests that environments need, each with why.

    Args:
        engine: The repository.
        environments: Whom to ask.
        doubt: Told of one that cannot be read.
        open_namespace: Opens a namespace; that of a real cluster unless said.
    """
    found: dict[str, str] = {}
    for settings in environments:
        engine.announce(f"asking environment `{settings.name}` for what it needs")
        try:
            access = find_access(settings, engine.environment)
            namespace = enter(access, settings.name, open_namespace)
            try:
                ledger = Ledger(namespace, settings.name, MachineClock())
                needed = needed_images(namespace, ledger, settings.name)
            finally:
                namespace.close()
        except MonoyardError as error:
            doubt(
                ClusterError(
                    f"what `{settings.name}` needs cannot be read",
                    code="environment-unread",
                    context=(error.message, *error.context, *filter(None, [error.hint])),
                    hint=f"`--without-env {settings.name}` says that it needs no image",
                )
            )
            continue
        found = {**needed, **found}
    return found


def read_running(lists: Iterable[str]) -> dict[str, str]:
    """Return the digests that lists name, each with the name of its list.

    Args:
        lists: Files with a digest a line, with or without `NAME@` in front; several with commas.

    Raises:
        ConfigurationError: A file cannot be read, has no digest, or has a line that is none.
    """
    running: dict[str, str] = {}
    for path in (path for item in lists for path in item.split(",")):
        try:
            text = Path(path).read_text("utf-8-sig") if path else ""
        except (OSError, ValueError) as error:
            raise _bad_list(path, "cannot be read", str(error)) from error
        lines = [line.strip() for line in text.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        if not lines:
            raise _bad_list(path, "names nothing")
        for line in lines:
            match = _RUNNING.fullmatch(line)
            if match is None:
                raise _bad_list(path, "has a line that is no digest", line)
            running.setdefault(match[1], path)
    return running


def _bad_list(path: str, fault: str, *context: str) -> ConfigurationError:
    return ConfigurationError(
        f"the list of what runs `{path}` {fault}, so nothing is removed",
        code="bad-running-list",
        context=context,
        hint="`--keep-running` takes a file with a digest a line, with or without `NAME@` in front",
    )
