"""Signals that end a block, and signals that wait for its end."""

from __future__ import annotations

import os
import signal

import pytest

from monoyard.bindings.interrupting import deferring_interrupts, terminable


def test_named_signals_end_a_block_as_ctrl_c_does() -> None:
    """SIGTERM always, others where they are named; afterwards each does what it did before."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    for number in (signal.SIGTERM, signal.SIGHUP):
        with pytest.raises(KeyboardInterrupt), terminable(signal.SIGHUP):
            os.kill(os.getpid(), number)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == before


def test_an_ignored_signal_stays_ignored() -> None:
    """What `nohup` set is left alone."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminable(signal.SIGHUP):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_cleaning_up_comes_to_its_end(number: signal.Signals) -> None:
    """A signal that comes meanwhile takes effect after the block."""
    done = []

    def clean_up() -> None:
        with deferring_interrupts():
            os.kill(os.getpid(), number)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        clean_up()
    assert done == ["all of it"]
