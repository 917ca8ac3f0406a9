"""Several questions at a time."""

import pytest

from monoyard.bindings.parallel import each_or_error
from monoyard.errors import ImageError, InterruptedRunError, MonoyardError


def test_what_goes_wrong_with_one_stops_no_other() -> None:
    """An error is the result of its item, in its place among the others."""
    error = ImageError("no good")

    def double(number: int) -> int:
        if number == 2:
            raise error
        return 2 * number

    assert each_or_error(double, [1, 2, 3]) == [2, error, 6]


def test_interrupt_is_no_error_of_an_item() -> None:
    """What asks the run to stop ends all, and so does what nobody foresaw."""

    def stop(kind: type[Exception]) -> None:
        raise kind("stop")

    for kind in (InterruptedRunError, ValueError):
        with pytest.raises(kind):
            each_or_error(stop, [kind])
    assert isinstance(each_or_error(stop, [MonoyardError])[0], MonoyardError)
