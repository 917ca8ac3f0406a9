"""Why a document is not an event.

EventError
├── UnknownEventError    a type or version that this release does not know
└── InvalidEventError    a known event whose content is wrong
"""


class EventError(Exception):
    """A document could not be read as an event."""


class UnknownEventError(EventError):
    """The document's type or version is not known to this release.

    A newer producer may have written it: a consumer should keep the document and try again later.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"unknown event {name}")


class InvalidEventError(EventError):
    """A known event with wrong content; `faults` names each part, never its value."""

    def __init__(self, name: str, faults: tuple[str, ...]) -> None:
        self.name = name
        self.faults = faults
        super().__init__(f"invalid event {name}: {'; '.join(faults)}")
