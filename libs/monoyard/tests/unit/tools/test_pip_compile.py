"""pip-compile: whole command lines."""

from monoyard.tools import pip_compile

ALWAYS = (
    "--quiet", "--generate-hashes", "--allow-unsafe", "--strip-extras", "--annotate",
    "--annotation-style=split", "--no-header", "--no-emit-index-url", "--no-emit-trusted-host",
    "--no-emit-find-links", "--resolver=backtracking",
)  # fmt: skip


def test_lock() -> None:
    """A lock has hashes and reasons, and names no index of this machine."""
    made = pip_compile.compile_lock("/v/pip-compile", source="a.in", output="a.txt")
    assert made == ("/v/pip-compile", *ALWAYS, "--output-file=a.txt", "a.in")


def test_lock_under_constraints() -> None:
    """A slice is bound by the whole workspace's lock; upgrading forgets what is there."""
    made = pip_compile.compile_lock(
        "pip-compile", source="b.in", output="b.txt", constraints=["all.txt"], upgrade=True
    )
    assert made[-4:] == ("--constraint=all.txt", "--upgrade", "--output-file=b.txt", "b.in")
