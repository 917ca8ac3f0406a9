"""Notifications as it is run: a process, a mail server, a webhook receiver."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from eventflow_notifications.testing.smtp_sink import SmtpSink
from eventflow_notifications.testing.webhook_sink import WebhookSink

PATIENCE_SECONDS = 90.0
TOKEN = "a token of some length"
SECRET = "a secret of some length"


def environment_for(sink: SmtpSink) -> dict[str, str]:
    """Return the variables of a process that sends to `sink`."""
    return {
        **os.environ,
        "PORT": "0",
        "CALLER_TOKEN": TOKEN,
        "WEBHOOK_SECRET": SECRET,
        "WEBHOOK_ALLOW_PRIVATE": "true",
        "SMTP_HOST": sink.host,
        "SMTP_PORT": str(sink.port),
        "SMTP_SECURITY": "none",
        "DELIVERY_ATTEMPTS": "2",
    }


@contextmanager
def served(environment: dict[str, str]) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run notifications and yield its URL and process; kill it at the end if it still runs."""
    process = subprocess.Popen(
        (sys.executable, "-m", "eventflow_notifications"),
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            lines = map(json.loads, process.stderr)
            yield next(line["url"] for line in lines if line["message"] == "listening"), process
        finally:
            process.kill()


def send(url: str, key: str, *destinations: dict[str, str]) -> Any:
    """Send a welcome and return the parsed answer."""
    answer = httpx.post(
        f"{url}/v1/notifications",
        headers={"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key},
        json={
            "template": "user-registered",
            "values": {"plan": "team"},
            "destinations": destinations,
        },
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_notification_reaches_both_channels_once_for_a_key() -> None:
    """From HTTP to a mailbox and a webhook; a repeated key sends to nobody; SIGTERM ends well."""
    email = {"channel": "email", "address": "ada@example.org"}
    with SmtpSink(replies=["451 later"]) as mail, WebhookSink(statuses=[503, 503]) as hook:
        webhook = {"channel": "webhook", "url": hook.url}
        with served(environment_for(mail)) as (url, process):
            first = send(url, "k-1", email, webhook)
            again = send(url, "k-1", email, webhook)
            assert send(url, "k-1", email, webhook) == again
            metrics = httpx.get(f"{url}/metrics", trust_env=False, timeout=PATIENCE_SECONDS).text
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            log = process.stderr.read()
            assert process.wait(PATIENCE_SECONDS) == 0
    assert (first["settled"], again["settled"]) == (False, True)
    assert [(r["outcome"], r["attempts"]) for r in first["results"]] == [
        ("delivered", 2),
        ("failed", 2),
    ]
    assert (len(mail.letters), len(hook.posted)) == (1, 3)
    assert 'notifications_deliveries_total{channel="webhook",outcome="failed"} 1.0' in metrics
    assert "delivery ended" in log
    for word in ("ada@example.org", TOKEN, SECRET):
        assert word not in log


def test_webhooks_go_nowhere_but_to_their_target() -> None:
    """Neither a redirect nor a proxy of the environment leads a webhook to another place."""
    with (
        SmtpSink() as mail,
        WebhookSink() as elsewhere,
        WebhookSink(statuses=[302], headers={"Location": elsewhere.url}) as hook,
        served({**environment_for(mail), "HTTP_PROXY": elsewhere.url}) as (url, _),
    ):
        first = send(url, "k-1", {"channel": "webhook", "url": hook.url})
        second = send(url, "k-2", {"channel": "webhook", "url": hook.url})
    assert [result["reason"] for result in first["results"]] == ["answered 302"]
    assert second["settled"] is True
    assert (len(hook.posted), len(elsewhere.posted)) == (2, 0)


def test_requests_in_flight_are_finished_before_the_process_ends() -> None:
    """A delivery that has begun when SIGTERM comes is still answered."""
    with (
        SmtpSink() as mail,
        WebhookSink(statuses=[503]) as hook,
        served(environment_for(mail)) as (url, process),
    ):
        hook.when_called = lambda: process.send_signal(signal.SIGTERM)
        answer = send(url, "k-1", {"channel": "webhook", "url": hook.url})
        assert process.wait(PATIENCE_SECONDS) == 0
    assert answer["results"][0]["outcome"] == "delivered"


def test_missing_settings_are_all_named() -> None:
    """Without required settings the process ends with code 10 and names each of them."""
    done = subprocess.run(
        (sys.executable, "-m", "eventflow_notifications"),
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 10
    for missing in ("CALLER_TOKEN", "WEBHOOK_SECRET"):
        assert f"{missing}: " in done.stderr
