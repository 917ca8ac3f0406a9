"""What all tests of the engine share: generated examples are the same in every run."""

from hypothesis import settings

# A task's outcome is kept by its key, so chance may have no part in it, nor may a busy machine.
# To search further, raise `max_examples` and set `derandomize=False` while searching.
settings.register_profile("engine", derandomize=True, deadline=None, database=None)
settings.load_profile("engine")
