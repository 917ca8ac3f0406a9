"""The environment variables that a child of ours gets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

PASSED_THROUGH = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
)
"""Names that every task sees. None of them is part of a key; everything else must be declared."""

PROXIES = (
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip
"""Names by which programs that go to the network find their way."""

_WAYS_TO_REMOTES = (
    "GIT_ASKPASS", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_PROXY_",
    "GIT_SSH", "GIT_SSL_",
)  # fmt: skip


def clean(declared: Iterable[str] = (), source: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a task: the short list above plus the declared names that are set.

    Args:
        declared: Further names to pass through; a trailing `*` matches any ending.
        source: The environment to take from; default is this process's own.

    """
    source = os.environ if source is None else source
    names = set(PASSED_THROUGH)
    prefixes = []
    for name in declared:
        if name.endswith("*"):
            prefixes.append(name[:-1])
        else:
            names.add(name)
    return {
        name: value
        for name, value in source.items()
        if name in names or any(name.startswith(prefix) for prefix in prefixes)
    }


def for_git(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment for git: no `GIT_*` of a surrounding hook, no locks, no prompts.

    A git hook exports `GIT_DIR` and `GIT_INDEX_FILE`; with those every call would look at the
    repository of the hook instead of the one in the working directory.
    """
    source = os.environ if source is None else source
    kept = {name: value for name, value in source.items() if not name.startswith("GIT_")}
    kept.update(GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0", LC_ALL="C")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"):
        if name in source:
            kept[name] = source[name]
    return kept


def for_remote_git(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return `for_git`, with the ways to a remote and its credentials that variables may say."""
    source = os.environ if source is None else source
    ways = {name: value for name, value in source.items() if name.startswith(_WAYS_TO_REMOTES)}
    return {**for_git(source), **ways}
