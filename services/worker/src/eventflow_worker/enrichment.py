"""Adds to an event what later steps want to know and the producer did not say."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from eventflow_events import LatestEvent, Money, latest, parse_event
from eventflow_worker.outcomes import Count

# ISO 4217: currencies whose smallest unit is not a hundredth.
_DECIMALS = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"], 0),
    **dict.fromkeys(["RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}


@dataclass(frozen=True)
class EnrichedEvent:
    """An event in its newest version, with the hour (UTC) it is counted in."""

    event: LatestEvent
    hour: datetime

    @property
    def count(self) -> Count:
        """What the event adds to the counts."""
        return Count(self.event.type, self.hour)


def enrich(document: dict[str, Any]) -> EnrichedEvent:
    """Read and enrich a stored document; raises what `parse_event` raises."""
    event = latest(parse_event(document))
    return EnrichedEvent(event, event.occurred_at.replace(minute=0, second=0, microsecond=0))


def spoken(money: Money) -> str:
    """Return an amount as people write it, such as `12.00 EUR`."""
    decimals = _DECIMALS.get(money.currency, 2)
    return f"{Decimal(money.minor_units).scaleb(-decimals):.{decimals}f} {money.currency}"
