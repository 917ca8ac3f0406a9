"""What a migration lost comes back from the backup; what came since stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Desk, Ended


def recover(desk: Desk, *words: str) -> Ended:
    """Run the program with the other database for a scratch one."""
    return desk.run("recover", *desk.files(), *words, SCRATCH_URL=desk.other)


def test_a_lost_table_comes_back_with_every_row(desk: Desk) -> None:
    """Rows, keys, indexes and sequence are as before, and what was written since is untouched."""
    desk.back_up()
    before = desk.sql('SELECT * FROM shop."Order" ORDER BY 1')
    desk.sql('DROP TABLE shop."Order"', "INSERT INTO customer VALUES (999, 'late', '')")
    ended = recover(desk)
    assert ended.status == 0, ended.events
    lost = {"event": "lost", "tables": ["shop.Order"], "columns": {}}
    back = {"event": "table", "name": "shop.Order", "rows": 100}
    assert ended.events == [lost, back]  # nothing is left to a person
    assert desk.sql('SELECT * FROM shop."Order" ORDER BY 1') == before
    assert desk.sql(
        """INSERT INTO shop."Order" (customer, cents) VALUES (999, 1) RETURNING id"""
    ) == [(101,)]
    indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = 'shop' ORDER BY 1"
    assert desk.sql(indexes) == [("Order_pkey",), ("order_cents",)]
    assert recover_is_done(desk)


def recover_is_done(desk: Desk) -> bool:
    """Say whether another run finds nothing to do."""
    ended = recover(desk)
    return ended.status == 0 and ended.events == [{"event": "lost", "tables": [], "columns": {}}]


def test_lost_columns_come_back_for_rows_that_are_there(desk: Desk) -> None:
    """Values are found by primary key; new rows have none, and gone rows stay gone."""
    desk.back_up()
    desk.sql(
        "ALTER TABLE customer DROP COLUMN note",
        "INSERT INTO customer VALUES (999, 'late')",
        "DELETE FROM customer WHERE id = 200",
        "UPDATE customer SET name = 'other' WHERE id = 7",
    )
    ended = recover(desk)
    assert ended.status == 0, ended.events
    assert ended.last == {
        "event": "column", "name": "customer", "columns": ["note"],
        "rows": 199, "new": 1, "gone": 1,
    }  # fmt: skip
    rows = desk.sql("SELECT id, name, note FROM customer WHERE id IN (7, 8, 200, 999) ORDER BY id")
    assert rows == [(7, "other", "n7"), (8, "c8", "n8"), (999, "late", None)]


def test_plan_tells_and_changes_nothing(desk: Desk) -> None:
    """What is lost is told, with the constraints that a person has to look at."""
    desk.back_up()
    desk.sql("DROP TABLE customer CASCADE", 'ALTER TABLE shop."Order" DROP COLUMN cents')
    ended = recover(desk, "--plan")
    assert ended.status == 0, ended.events
    assert ended.events[0] == {
        "event": "lost", "tables": ["customer"], "columns": {"shop.Order": ["cents"]},
    }  # fmt: skip
    told = {event["name"] for event in ended.events if event["event"] == "untouched"}
    assert told == {
        'constraint shop."Order".Order_cents_check', "index shop.order_cents",
        'constraint shop."Order".Order_customer_fkey',
    }  # fmt: skip
    assert desk.sql("SELECT to_regclass('customer')") == [(None,)]


def test_a_table_without_a_key_is_left_alone(desk: Desk) -> None:
    """Where rows cannot be told apart nothing is changed, and the reason is told."""
    desk.sql("CREATE TABLE plain (a int, b int)", "INSERT INTO plain VALUES (1, 2)")
    desk.back_up()
    desk.sql("ALTER TABLE plain DROP COLUMN b", "ALTER TABLE customer DROP COLUMN note")
    ended = recover(desk)
    assert (ended.status, ended.last["event"]) == (10, "failed")
    assert ended.last["message"] == "plain has no primary key: its rows cannot be found"
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'customer'"
    assert desk.sql(columns) == [(2,)]


def test_a_table_that_does_not_fit_comes_back_not_at_all(desk: Desk) -> None:
    """Rows that refer to what is gone meanwhile: the reason is told, and nothing is half there."""
    desk.back_up()
    desk.sql('DROP TABLE shop."Order"', "DELETE FROM customer WHERE id = 50")
    ended = recover(desk)
    assert (ended.status, ended.last["event"]) == (6, "failed")
    assert "Order_customer_fkey" in ended.last["message"]
    assert desk.sql("""SELECT to_regclass('shop."Order"')""") == [(None,)]
