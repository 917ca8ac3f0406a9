"""What is remembered under a key, and for how long."""

import asyncio

import pytest

from eventflow_notifications.idempotency import KeyMemory, KeyReusedError


class Clock:
    """Seconds that tests move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the seconds it was set to."""
        return self.now


def memory_of(capacity: int = 10, clock: Clock | None = None) -> KeyMemory[str]:
    """Return an empty memory that keeps keys for 60 seconds."""
    return KeyMemory(capacity=capacity, lifetime=60, clock=clock or Clock())


async def put(memory: KeyMemory[str], key: str, value: str) -> None:
    """Leave a value under a key."""
    async with memory.using(key, "digest") as entry:
        entry.value = value


async def seen(memory: KeyMemory[str], key: str) -> str | None:
    """Return what is known under a key."""
    async with memory.using(key, "digest") as entry:
        return entry.value


def test_the_next_user_sees_what_was_left() -> None:
    """A repeated request finds the result of the first one; another key finds nothing."""

    async def story() -> tuple[str | None, str | None]:
        memory = memory_of()
        await put(memory, "a", "sent")
        return await seen(memory, "a"), await seen(memory, "b")

    assert asyncio.run(story()) == ("sent", None)


def test_a_key_stands_for_one_content() -> None:
    """Using a key for another request is an error."""

    async def story() -> None:
        memory = memory_of()
        await put(memory, "a", "sent")
        async with memory.using("a", "another digest"):
            pytest.fail("the key was given away")

    with pytest.raises(KeyReusedError):
        asyncio.run(story())


def test_two_users_of_one_key_take_turns() -> None:
    """The second of two requests at the same time waits, and sees what the first one did."""

    async def story() -> list[str | None]:
        memory, order = memory_of(), list[str | None]()

        async def use(name: str) -> None:
            async with memory.using("a", "digest") as entry:
                order.append(entry.value)
                await asyncio.sleep(0)
                entry.value = name

        await asyncio.gather(use("first"), use("second"))
        return order

    assert asyncio.run(story()) == [None, "first"]


def test_old_keys_are_forgotten() -> None:
    """A key that was not used for its lifetime is gone."""

    async def story() -> tuple[str | None, str | None]:
        clock = Clock()
        memory = memory_of(clock=clock)
        await put(memory, "a", "sent")
        clock.now += 59
        before = await seen(memory, "a")
        clock.now += 61
        return before, await seen(memory, "a")

    assert asyncio.run(story()) == ("sent", None)


def test_memory_is_bounded_and_drops_the_longest_unused() -> None:
    """A full memory forgets the key that was not used for the longest time."""

    async def story() -> tuple[int, str | None, str | None]:
        memory = memory_of(capacity=3)
        for key in "abc":
            await put(memory, key, key)
        await seen(memory, "a")
        await put(memory, "d", "d")
        return len(memory), await seen(memory, "a"), await seen(memory, "b")

    assert asyncio.run(story()) == (3, "a", None)


def test_a_key_in_use_is_never_dropped() -> None:
    """A full memory does not let the same key be used twice at once."""

    async def story() -> str | None:
        memory = memory_of(capacity=1)
        async with memory.using("a", "digest") as entry:
            await put(memory, "b", "b")
            await put(memory, "c", "c")
            entry.value = "sent"
        return await seen(memory, "a")

    assert asyncio.run(story()) == "sent"


def test_a_user_that_fails_gives_the_key_back() -> None:
    """After an error the key is free, and nothing is remembered."""

    async def story() -> str | None:
        memory = memory_of()
        with pytest.raises(ZeroDivisionError):
            async with memory.using("a", "digest"):
                raise ZeroDivisionError
        return await seen(memory, "a")

    assert asyncio.run(story()) is None
