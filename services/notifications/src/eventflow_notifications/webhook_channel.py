"""Delivers letters as signed HTTP requests."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from eventflow_notifications import signature
from eventflow_notifications.delivery import FailedDeliveryError, Letter, RefusedDeliveryError
from eventflow_notifications.targets import Endpoint, TargetGuard

DELIVERY_HEADER = "EventFlow-Delivery"

_PASSING = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


@dataclass(frozen=True)
class WebhookTarget:
    """Whom to tell."""

    url: str


class WebhookChannel:
    """Posts a letter's data as JSON. Redirects are answers like any other: they are not followed.

    `client` must follow no redirects and use no proxy, which would connect to whatever it likes.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        guard: TargetGuard,
        *,
        secret: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._guard = guard
        self._secret = secret
        self._clock = clock

    async def deliver(self, letter: Letter, target: WebhookTarget) -> None:
        """Post `letter`; 2xx is delivered, 408, 425, 429 and 5xx may be tried again."""
        endpoint = await self._guard.endpoint(target.url)
        try:
            # The answer's body is never read: nobody limits its length.
            response = await self._client.send(self._request(letter, endpoint), stream=True)
            await response.aclose()
        except httpx.TransportError as error:
            raise FailedDeliveryError(f"no answer: {type(error).__name__}") from None
        if response.is_success:
            return
        reason = f"answered {response.status_code}"
        if response.is_server_error or response.status_code in _PASSING:
            raise FailedDeliveryError(reason)
        raise RefusedDeliveryError(reason)

    def _request(self, letter: Letter, endpoint: Endpoint) -> httpx.Request:
        document = {"id": letter.delivery_id, "kind": letter.template, "data": letter.data}
        body = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
        return self._client.build_request(
            "POST",
            endpoint.url.copy_with(host=endpoint.address),
            content=body,
            headers={
                "Host": endpoint.url.netloc.decode("ascii"),
                "Content-Type": "application/json",
                "User-Agent": "eventflow-notifications",
                DELIVERY_HEADER: letter.delivery_id,
                signature.HEADER: signature.sign(body, self._secret, at=int(self._clock())),
            },
            # The certificate is checked against the name, though the connection goes by address.
            extensions={"sni_hostname": endpoint.url.host},
        )
