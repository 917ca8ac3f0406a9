"""Makes an outcome of a taken event."""

import logging

from eventflow_events import InvalidEventError, UnknownEventError
from eventflow_servicekit.correlation import correlated, is_acceptable_id
from eventflow_worker.backoff import Backoff
from eventflow_worker.enrichment import EnrichedEvent, enrich
from eventflow_worker.notices import NoticeRules
from eventflow_worker.notifications import FailedNoticeError, Notifications, RefusedNoticeError
from eventflow_worker.outcomes import Dead, Done, Effects, Later, Outcome, TakenEvent

_log = logging.getLogger(__name__)


class Processor:
    """Enriches events, has people notified, and decides what becomes of an event that fails."""

    def __init__(
        self,
        *,
        rules: NoticeRules,
        notifications: Notifications,
        backoff: Backoff,
        max_attempts: int,
    ) -> None:
        self._rules = rules
        self._notifications = notifications
        self._backoff = backoff
        self._max_attempts = max_attempts

    def process(self, taken: TakenEvent) -> Outcome:
        """Return what became of the event; it is logged under the event's correlation id."""
        with correlated(_correlation_id(taken)):
            try:
                outcome = self._outcome(taken)
            except Exception as error:  # noqa: BLE001 - one event must not take its batch along
                _log.exception("event met a defect", extra={"event_id": str(taken.event_id)})
                outcome = self._failed(taken, Effects(), f"defect: {type(error).__name__}")
            _note(taken, outcome)
            return outcome

    def _outcome(self, taken: TakenEvent) -> Outcome:
        if taken.attempts > self._max_attempts:
            # Each attempt was cut short: the event may be what kills its workers.
            return Dead(taken.event_id, Effects(), taken.attempts - 1, "never came to an end")
        try:
            enriched = enrich(taken.document)
        except InvalidEventError as error:
            return Dead(taken.event_id, Effects(), taken.attempts, str(error))
        except UnknownEventError as error:
            # A newer producer: the next release of the worker may know it.
            return self._failed(taken, Effects(), str(error))
        return self._notified(taken, enriched)

    def _notified(self, taken: TakenEvent, enriched: EnrichedEvent) -> Outcome:
        notice = self._rules.notice(enriched.event)
        # Counted in any case: a mail server that is away must not bend the numbers.
        counted = Effects(enriched.count)
        if notice is None:
            return Done(taken.event_id, counted)
        try:
            self._notifications.send(f"{taken.event_id}.{notice.template}", notice)
        except RefusedNoticeError as error:
            return Dead(taken.event_id, counted, taken.attempts, str(error))
        except FailedNoticeError as error:
            return self._failed(taken, counted, str(error))
        return Done(taken.event_id, Effects(enriched.count, notice.template))

    def _failed(self, taken: TakenEvent, effects: Effects, error: str) -> Outcome:
        if taken.attempts >= self._max_attempts:
            return Dead(taken.event_id, effects, taken.attempts, error)
        return Later(taken.event_id, effects, self._backoff.delay(taken.attempts), error)


def _correlation_id(taken: TakenEvent) -> str:
    given = taken.document.get("correlation_id")
    return given if isinstance(given, str) and is_acceptable_id(given) else taken.event_id.hex


def _note(taken: TakenEvent, outcome: Outcome) -> None:
    fields = {"event_id": str(taken.event_id), "attempts": taken.attempts}
    match outcome:
        case Done():
            _log.debug("event done", extra=fields)
        case Later(error=error, delay_seconds=delay):
            _log.warning(
                "event is tried again", extra={**fields, "reason": error, "delay_seconds": delay}
            )
        case Dead(error=error):
            _log.error("event given up", extra={**fields, "reason": error})
