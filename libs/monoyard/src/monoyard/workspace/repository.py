"""The git repository of a workspace: where it is, and questions to it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monoyard.errors import MachineError, RepositoryError
from monoyard.process import (
    Command,
    Completed,
    capture,
    finish,
    for_git,
    for_remote_git,
    start,
)
from monoyard.tools import git


@dataclass(frozen=True, slots=True)
class Repository:
    """One work tree.

    Attributes:
        top: Root directory of the work tree.
        common_directory: The git directory that all linked work trees share.
        git_directory: The git directory of this work tree.
        object_format: `sha1` or `sha256`.

    """

    top: Path
    common_directory: Path
    git_directory: Path
    object_format: str

    @classmethod
    def locate(cls, directory: Path) -> Repository:
        """Find the repository that `directory` lies in.

        Raises:
            RepositoryError: There is none, or git refuses to look at it.
            MachineError: git is missing.

        """
        answer = capture(Command(git.locate(), directory, for_git()))
        if answer.status != 0:
            raise _explain(directory, answer)
        top, common, own, object_format = answer.text.splitlines()
        return cls(Path(top), Path(common), Path(own), object_format)

    def command(self, argv: tuple[str, ...], stdin: bytes | None = None) -> Command:
        """Return a git command that runs at the top of this work tree."""
        return Command(argv, self.top, for_git(), stdin=stdin)

    def ask(self, argv: tuple[str, ...], stdin: bytes | None = None) -> bytes | None:
        """Run a git command; return its output, or None where git says no (a status above 0)."""
        answer = capture(self.command(argv, stdin))
        return answer.stdout if answer.status == 0 else None

    def demand(self, argv: tuple[str, ...], stdin: bytes | None = None) -> bytes:
        """Run a git command that has to succeed.

        Raises:
            RepositoryError: It did not; the context shows what git said.

        """
        return _checked(capture(self.command(argv, stdin)))

    def demand_of_remote(self, argv: tuple[str, ...], seconds: float) -> bytes:
        """Run a git command that asks another machine, as `demand`.

        Raises:
            RepositoryError: It did not succeed; the context shows what git said.
            ToolError: It took longer than that many seconds.

        """
        return _checked(capture(Command(argv, self.top, for_remote_git(), seconds)))

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Return those of some paths from the top that git ignores; on doubt none is."""
        stdin = b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths)
        return git.parse_paths(self.ask(git.check_ignored(), stdin) or b"")

    def demand_at_once(self, questions: Sequence[tuple[str, ...]]) -> list[bytes]:
        """Run several git commands side by side; all have to succeed.

        Raises:
            RepositoryError: One did not.

        """
        began = time.monotonic()
        commands = [self.command(argv) for argv in questions]
        children = [start(command) for command in commands]
        pairs = zip(commands, children, strict=True)
        return [_checked(finish(command, child, began)) for command, child in pairs]

    def read_objects(self, names: Sequence[str]) -> dict[str, bytes | None]:
        """Read blobs by object id or `commit:path`; one that does not exist is None."""
        if not names:
            return {}
        unique = list(dict.fromkeys(names))
        # A name with a newline cannot be asked for in this protocol.
        askable = [name for name in unique if "\n" not in name]
        request = "".join(f"{name}\n" for name in askable)
        output = self.demand(git.read_objects(), request.encode("utf-8", "surrogateescape"))
        found = git.parse_objects(output, askable)
        return {name: found.get(name) for name in unique}


def _checked(answer: Completed) -> bytes:
    if answer.status != 0:
        raise RepositoryError(
            f"git {_verb(answer.command.argv)} failed",
            context=answer.last_lines,
        )
    return answer.stdout


def _verb(argv: tuple[str, ...]) -> str:
    words = iter(argv[1:])
    for word in words:
        if word != "-c":
            return word
        next(words)
    return ""


def _explain(directory: Path, answer: Completed) -> RepositoryError | MachineError:
    said = " ".join(answer.last_lines)
    if "dubious ownership" in said:
        return RepositoryError(
            f"git does not trust the owner of {directory}",
            code="unsafe-repository",
            hint=f"git config --global --add safe.directory {directory}",
        )
    if "--path-format" in said or "--show-object-format" in said:
        return MachineError(
            "git is older than 2.35", code="git-too-old", hint="install a newer git"
        )
    return RepositoryError(
        f"{directory} is not in a git repository",
        code="not-a-repository",
        hint="monoyard tells what changed from git: run `git init` and commit",
        context=answer.last_lines,
    )
