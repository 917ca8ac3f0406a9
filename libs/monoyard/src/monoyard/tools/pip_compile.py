"""pip-compile of pip-tools: locks with hashes and the reason of every entry. Tested with 7.6."""

from __future__ import annotations

from collections.abc import Iterable


def compile_lock(
    program: str,
    *,
    source: str,
    output: str,
    constraints: Iterable[str] = (),
    upgrade: bool = False,
) -> tuple[str, ...]:
    """Compile requirements into a lock; versions in an existing output are kept where they fit.

    Args:
        program: Path of pip-compile.
        source: Requirements to compile.
        output: The lock, read first and then written.
        constraints: Locks whose versions bind this one.
        upgrade: Forget the versions in the output.
    """
    return (
        program, "--quiet", "--generate-hashes", "--allow-unsafe", "--strip-extras",
        "--annotate", "--annotation-style=split", "--no-header", "--no-emit-index-url",
        "--no-emit-trusted-host", "--no-emit-find-links", "--resolver=backtracking",
        *(f"--constraint={path}" for path in constraints),
        *(("--upgrade",) if upgrade else ()),
        f"--output-file={output}", source,
    )  # fmt: skip
