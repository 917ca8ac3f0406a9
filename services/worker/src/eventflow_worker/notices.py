"""Who is told what about which event."""

from dataclasses import dataclass

from eventflow_events import LatestEvent, OrderPlacedV2, PaymentFailedV1, UserRegisteredV2
from eventflow_worker.enrichment import spoken

Destination = dict[str, str]
"""`{"channel": "email", "address": ...}` or `{"channel": "webhook", "url": ...}`."""


@dataclass(frozen=True)
class Notice:
    """What notifications is asked to send."""

    template: str
    values: dict[str, str]
    destinations: tuple[Destination, ...]


@dataclass(frozen=True)
class NoticeRules:
    """The rules; `payments_webhook` is a URL to be told about failed payments, too."""

    payments_webhook: str | None = None

    def notice(self, event: LatestEvent) -> Notice | None:
        """Return what is to be told about `event`, or None if nobody needs to know."""
        match event:
            case OrderPlacedV2(data=order):
                values = {"order_id": order.order_id, "total": spoken(order.total)}
                return Notice("order-placed", values, (_email(order.email),))
            case PaymentFailedV1(data=payment):
                values = {
                    "order_id": payment.order_id,
                    "amount": spoken(payment.amount),
                    "reason": payment.reason,
                }
                destinations = (_email(payment.email), *self._payments())
                return Notice("payment-failed", values, destinations)
            case UserRegisteredV2(data=user):
                return Notice("user-registered", {"plan": user.plan}, (_email(user.email),))
            case _:
                return None

    def _payments(self) -> tuple[Destination, ...]:
        if self.payments_webhook is None:
            return ()
        return ({"channel": "webhook", "url": self.payments_webhook},)


def _email(address: str) -> Destination:
    return {"channel": "email", "address": address}
