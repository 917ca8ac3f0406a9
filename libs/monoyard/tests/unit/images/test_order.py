"""What the building process is told, and what it answers."""

from dataclasses import replace
from pathlib import Path

from monoyard.images import Base, ImageWork, LayerCache
from monoyard.images.order import Made, Order, read_made, write_made

WORK = ImageWork(
    package="shop",
    base=Base("python", ("python3-minimal",), ("python3-minimal 1 amd64 00",), "bookworm"),
    dockerfile="",
    entrypoint=("python3", "-m", "shop"),
    port=8000,
    health="/health/live",
    environment={"NAME": "value"},
    sources={"shop": ("services/shop/src/shop/__init__.py",)},
    directories={"shop": "services/shop"},
    requirements="requirements/shop.txt",
    included=(("services/shop/migrations/env.py", "migrations/env.py"),),
)


def test_order_reads_what_it_writes(tmp_path: Path) -> None:
    """An order survives its way to the other process, every value of it."""
    order = Order(
        top="/top", scratch="/scratch", kept="/kept", uv="/uv", buildx="/buildx",
        buildkitd="/buildkitd", python="/python", is_isolated=True, log="/log", images=(WORK,),
    )  # fmt: skip
    for each in (order, replace(order, cache=LayerCache("host/name", ("topic", "main"), "topic"))):
        each.write(tmp_path / "order.json")
        assert Order.read(tmp_path / "order.json") == each


def test_answer_reads_what_it_writes(tmp_path: Path) -> None:
    """What became of images survives its way back; no answer at all tells of no image."""
    made = {"shop": Made("sha256:00", 7), "post": Made(problem="bad", log="why", is_error=True)}
    assert read_made(tmp_path / "made.json") == ({}, ())
    write_made(tmp_path / "made.json", made, ("the cache is full",))
    assert read_made(tmp_path / "made.json") == (made, ("the cache is full",))
