"""Everything that can go wrong on purpose, as one tree.

    MonoyardError
    ├── ChecksFailedError          1   a check failed; the report has said which
    ├── UsageError                 2   the command line asks for something that does not exist
    ├── ConfigurationError         10  faults in pyproject tables, all at once
    ├── RepositoryError            11  not a git repository, a ref that does not exist
    ├── MachineError               20  this machine lacks something: a tool, memory, disk, network
    │   └── ToolError              21  a tool ran and failed in a way that is not a finding
    ├── ImageError                 30  an image cannot be published as asked
    │   ├── RegistryError          31  the registry does not do what it is asked
    │   └── VerificationError      32  an image is not what it has to be
    ├── DeliveryError              40  a deployment failed, or cannot be what was asked for
    │   ├── ClusterError           41  the cluster does not do what it is asked
    │   ├── LockedError            42  somebody else holds the environment
    │   └── LeaseLostError         43  this runner no longer holds the environment, and stopped
    └── InterruptedRunError        130 a person or the machine asked the run to stop

Nothing here imports anything of ours. The one place that turns an error into words and an exit
code is `monoyard.bindings`.
"""

from __future__ import annotations


class MonoyardError(Exception):
    """A fault that is explained to the user in one sentence.

    Args:
        message: One sentence, no trailing period needed.
        code: A kebab-case name that documentation can refer to.
        hint: The setting or command that helps, if one does.
        context: Lines that show where it happened (a command, its last output).

    """

    code = "monoyard-error"
    exit_code = 70

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        context: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = context
        if code is not None:
            self.code = code


class ChecksFailedError(MonoyardError):
    """At least one selected check did not pass; the verdict was already printed."""

    code = "checks-failed"
    exit_code = 1


class UsageError(MonoyardError):
    """The command line names something that does not exist or contradicts itself."""

    code = "usage"
    exit_code = 2


class ConfigurationError(MonoyardError):
    """One or more faults in configuration files; `context` lists each with file and key."""

    code = "configuration"
    exit_code = 10


class RepositoryError(MonoyardError):
    """The git repository cannot answer: there is none, or a ref does not exist."""

    code = "repository"
    exit_code = 11


class MachineError(MonoyardError):
    """The machine lacks something that the run needs."""

    code = "machine"
    exit_code = 20


class ToolError(MachineError):
    """A tool ran and failed in a way that is not a finding about the code."""

    code = "tool-failed"
    exit_code = 21


class ImageError(MonoyardError):
    """An image cannot be published, signed or described as asked."""

    code = "image"
    exit_code = 30


class RegistryError(ImageError):
    """The registry is down, refuses the credentials, or answers nonsense."""

    code = "registry"
    exit_code = 31


class VerificationError(ImageError):
    """An image is unsigned, signed by nobody who is trusted, or another than it says."""

    code = "not-verified"
    exit_code = 32


class DeliveryError(MonoyardError):
    """A deployment failed, or what was asked of an environment is not possible."""

    code = "delivery"
    exit_code = 40


class ClusterError(DeliveryError):
    """The cluster is down, refuses the credentials, or does not take an object."""

    code = "cluster"
    exit_code = 41


class LockedError(DeliveryError):
    """Somebody else holds the environment."""

    code = "locked"
    exit_code = 42


class LeaseLostError(DeliveryError):
    """The environment is held by somebody else by now; nothing was written after that was seen."""

    code = "lease-lost"
    exit_code = 43


class InconclusiveError(DeliveryError):
    """A deployment went back because nobody could tell whether it was good."""

    code = "went-back"
    exit_code = 44


class InterruptedRunError(MonoyardError):
    """SIGINT or SIGTERM ended the run; the partial record was written."""

    code = "interrupted"
    exit_code = 130
