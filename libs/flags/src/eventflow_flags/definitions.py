"""What a flag file says, checked.

A file is JSON: `{"version": 1, "flags": {"new-list": {...}}}`. A flag has a type, named variants,
the variant for everyone, and optionally a share of the callers that gets another one.
"""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FlagKind = Literal["boolean", "string", "integer", "float", "object"]

_CHECKS: dict[FlagKind, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    # A bool is an int to Python, but not to the reader of a flag file.
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict | list),
}


class FlagFileError(ValueError):
    """A flag file cannot be used; `faults` names each part that is wrong."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rollout(_Part):
    """The share of callers, from 0 to 100 percent, that gets `variant`."""

    percentage: float = Field(ge=0, le=100, allow_inf_nan=False)
    variant: str


class Flag(_Part):
    """One flag; `variants` maps names to values of the flag's type."""

    type: FlagKind
    variants: dict[str, Any] = Field(min_length=1)
    default: str
    enabled: bool = True
    rollout: Rollout | None = None
    description: str = ""

    @model_validator(mode="after")
    def _is_consistent(self) -> "Flag":
        named = [self.default, *([self.rollout.variant] if self.rollout else [])]
        for name in named:
            if name not in self.variants:
                raise ValueError(f"there is no variant {name}")
        for name, value in self.variants.items():
            if not _CHECKS[self.type](value):
                raise ValueError(f"variant {name} is no {self.type}")
        return self


class FlagFile(_Part):
    """All flags by key."""

    version: Literal[1]
    flags: dict[str, Flag]


def parse_flags(text: str | bytes) -> dict[str, Flag]:
    """Return the flags in the JSON `text` by key; raise FlagFileError naming every fault."""
    try:
        return FlagFile.model_validate_json(text, strict=True).flags
    except ValidationError as error:
        faults = tuple(
            f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        )
        raise FlagFileError(faults) from None
