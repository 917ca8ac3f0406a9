"""A client that is given by settings, as a value: what settings say and accounts keep."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class GivenClient:
    """A service client whose secret something else made, and hands to the client."""

    client_id: str
    secret: str = field(repr=False)
    scopes: frozenset[str]
