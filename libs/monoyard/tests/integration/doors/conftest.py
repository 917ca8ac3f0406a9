"""The types of the fixtures that this folder shares with its neighbours."""

from ..checkouts import Checkout, Ended, Running  # noqa: TID252  a folder, not a package

__all__ = ["Checkout", "Ended", "Running"]
