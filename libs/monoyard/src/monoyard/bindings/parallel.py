"""Several questions to a registry at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from monoyard.errors import InterruptedRunError, MonoyardError
from monoyard.process import kill_running

_AT_ONCE: Final = 4

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    function: Callable[[Item], Result], items: Iterable[Item], at_once: int = _AT_ONCE
) -> list[Result]:
    """Apply a function to all items, some at a time; an interrupt leaves nothing running."""
    with ThreadPoolExecutor(at_once) as pool:
        try:
            return list(pool.map(function, items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            kill_running()
            raise


def each_or_error(
    function: Callable[[Item], Result], items: Iterable[Item], at_once: int = _AT_ONCE
) -> list[Result | MonoyardError]:
    """Do as `each`; what goes wrong with one item is its result, and stops no other one."""

    def tried(item: Item) -> Result | MonoyardError:
        try:
            return function(item)
        except InterruptedRunError:
            raise  # that is no fault of the item
        except MonoyardError as error:
            return error

    return each(tried, items, at_once)
