"""Plays what consumers expect of a service against the service itself.

Needs the package `jsonschema`. A consumer's file is JSON: `consumer`, `provider`, and
`interactions`, each with a `name`, a `request` and a `response`; README.md of the api explains
the format.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Answer:
    """What a service answered; `body` is parsed JSON, or None without any."""

    status: int
    body: Any


@dataclass(frozen=True)
class Interaction:
    """One expectation of one consumer, as its file says it."""

    consumer: str
    name: str
    given: tuple[Mapping[str, Any], ...]
    request: Mapping[str, Any]
    response: Mapping[str, Any]


Send = Callable[[Mapping[str, Any]], Answer]
"""Sends a request (`method`, `path`, and maybe `query`, `headers`, `body`)."""


def read_expectations(paths: Iterable[Path], provider: str) -> Iterator[Interaction]:
    """Yield the interactions with `provider` in those of the files at `paths` that exist."""
    for path in paths:
        if not path.exists():
            continue
        contract = json.loads(path.read_text(encoding="utf-8"))
        if contract["provider"] != provider:
            continue
        for entry in contract["interactions"]:
            yield Interaction(
                consumer=contract["consumer"],
                name=entry["name"],
                given=tuple(entry.get("given", ())),
                request=entry["request"],
                response=entry["response"],
            )


def play(interaction: Interaction, send: Send, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Send what `interaction` says and return a sentence for each expectation that is not met.

    `{name}` in a request stands for the value in `variables` or for one that was kept from an
    earlier answer; KeyError for any other name.
    """
    known = dict(variables)
    for step in interaction.given:
        answer = send(_filled(step["request"], known))
        for name, pointer in step.get("keep", {}).items():
            known[name] = _pointed(answer.body, pointer)
    answer = send(_filled(interaction.request, known))
    return tuple(_faults(answer, interaction.response))


def _faults(answer: Answer, expected: Mapping[str, Any]) -> Iterator[str]:
    if answer.status != expected["status"]:
        yield f"status {answer.status} instead of {expected['status']}: {answer.body}"
    elif "body" in expected:
        checker = jsonschema.FormatChecker()
        validator = jsonschema.Draft202012Validator(expected["body"], format_checker=checker)
        for error in validator.iter_errors(answer.body):
            yield f"body at {error.json_path}: {error.message}"


def _filled(part: Any, known: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return _PLACEHOLDER.sub(lambda found: known[found[1]], part)
    if isinstance(part, Mapping):
        return {key: _filled(value, known) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, known) for value in part]
    return part


def _pointed(body: Any, pointer: str) -> Any:
    for key in pointer.split("/")[1:]:
        name = key.replace("~1", "/").replace("~0", "~")
        body = body[int(name)] if isinstance(body, list) else body[name]
    return body
