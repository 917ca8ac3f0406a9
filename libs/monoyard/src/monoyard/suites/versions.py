"""The part of PEP 440 that `requires-python` uses."""

from __future__ import annotations

import re

_CLAUSE = re.compile(r"(~=|===?|!=|<=|>=|<|>)\s*(\d+(?:\.\d+)*)(\.\*)?")


def allows(specifier: str, version: str) -> bool:
    """Say whether a `requires-python` allows a version; what cannot be read allows it.

    Args:
        specifier: Such as `>=3.11,<4`.
        version: Full version, such as `3.11.7`.
    """
    numbers = _numbers(version)
    return all(
        _holds(operator, _numbers(wanted), bool(wildcard), numbers)
        for operator, wanted, wildcard in _CLAUSE.findall(specifier)
    )


def _numbers(text: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _holds(
    operator: str, wanted: tuple[int, ...], wildcard: bool, version: tuple[int, ...]
) -> bool:
    if wildcard:
        is_equal = version[: len(wanted)] == wanted
        return is_equal if operator == "==" else not is_equal
    width = max(len(wanted), len(version))
    left = version + (0,) * (width - len(version))
    right = wanted + (0,) * (width - len(wanted))
    if operator == "~=":
        return left >= right and version[: len(wanted) - 1] == wanted[:-1]
    return {
        "==": left == right, "===": left == right, "!=": left != right,
        "<=": left <= right, ">=": left >= right, "<": left < right, ">": left > right,
    }[operator]  # fmt: skip
