"""What all tests of the engine share: generated examples are the same in every run."""

import secrets

import pytest
from hypothesis import settings

# A task's outcome is kept by its key, so chance may have no part in it, nor may a busy machine.
# To search further, raise `max_examples` and set `derandomize=False` while searching.
settings.register_profile("engine", derandomize=True, deadline=None, database=None)
settings.load_profile("engine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--full`, the long form of what is left to chance, and `--seed` to repeat one."""
    parser.addoption("--full", action="store_true", help="the long form of tests by chance")
    parser.addoption("--seed", type=int, help="where chance begins; printed in the tests' names")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed of the long form here, where no worker was started yet: all have the same."""
    if config.getoption("--seed", default=None) is None:
        is_full = config.getoption("--full", default=False)
        config.option.seed = secrets.randbelow(10**6) if is_full else 1
