"""Sends one notification through its channels and remembers which of them are done."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry, Counter

from eventflow_notifications.delivery import Channel, ChannelResult, Letter
from eventflow_notifications.email_channel import EmailTarget
from eventflow_notifications.idempotency import KeyMemory
from eventflow_notifications.retrying import Retrying
from eventflow_notifications.templates import Rendered, Templates
from eventflow_notifications.webhook_channel import WebhookTarget

AnyTarget = EmailTarget | WebhookTarget
Results = tuple[ChannelResult, ...]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notification:
    """What is to be said to whom; equal notifications are the same request."""

    template: str
    values: dict[str, str | int]
    targets: tuple[AnyTarget, ...]

    def digest(self) -> str:
        """Return a hash of the content."""
        targets = [(type(target).__name__, vars(target)) for target in self.targets]
        content = json.dumps([self.template, self.values, targets], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


class Notifier:
    """Sends notifications.

    `memory` holds the results by key: a repeated request sends only what is not settled yet.
    """

    def __init__(
        self,
        *,
        email: Channel[EmailTarget],
        webhook: Channel[WebhookTarget],
        retrying: Retrying,
        memory: KeyMemory[Results],
        registry: CollectorRegistry,
    ) -> None:
        self._email = email
        self._webhook = webhook
        self._retrying = retrying
        self._memory = memory
        self._templates = Templates()
        self._deliveries = Counter(
            "notifications_deliveries",
            "Deliveries that ended, by channel and outcome",
            ("channel", "outcome"),
            registry=registry,
        )

    async def notify(self, key: str, notification: Notification) -> Results:
        """Send to every target that is not settled under `key`; return the results in order.

        Raises KeyReusedError, UnknownTemplateError, MissingValueError; then nothing was sent.
        """
        rendered = self._templates.render(notification.template, notification.values)
        async with self._memory.using(key, notification.digest()) as entry:
            known = entry.value or (None,) * len(notification.targets)
            entry.value = await self._send_open(key, notification, rendered, known)
            return entry.value

    async def _send_open(
        self,
        key: str,
        notification: Notification,
        rendered: Rendered,
        known: Sequence[ChannelResult | None],
    ) -> Results:
        sent = [
            self._send(_letter(f"{key}/{place}", notification, rendered), target, result)
            for place, (target, result) in enumerate(zip(notification.targets, known, strict=True))
        ]
        return tuple(await asyncio.gather(*sent))

    async def _send(
        self, letter: Letter, target: AnyTarget, before: ChannelResult | None
    ) -> ChannelResult:
        if before is not None and before.is_settled:
            return before
        match target:
            case EmailTarget():
                deliver = partial(self._email.deliver, letter, target)
                result = await self._retrying.run("email", deliver)
            case WebhookTarget():
                deliver = partial(self._webhook.deliver, letter, target)
                result = await self._retrying.run("webhook", deliver)
        self._note(letter, result)
        return result

    def _note(self, letter: Letter, result: ChannelResult) -> None:
        self._deliveries.labels(result.channel, result.outcome).inc()
        # Targets are people: logs get the delivery's id instead.
        fields = {**vars(result), "delivery_id": letter.delivery_id, "template": letter.template}
        level = logging.INFO if result.outcome == "delivered" else logging.WARNING
        _log.log(level, "delivery ended", extra=fields)


def _letter(place: str, notification: Notification, rendered: Rendered) -> Letter:
    return Letter(
        delivery_id=hashlib.sha256(place.encode()).hexdigest()[:32],
        template=notification.template,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        data=notification.values,
    )
