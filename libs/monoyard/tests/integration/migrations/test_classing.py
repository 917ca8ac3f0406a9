"""What a revision does depends on what was there before, on its transaction, and on who runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from monoyard.migrations import ColumnUse, Effect

from .projects import ENV, Project

ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY, total int, state text NOT NULL DEFAULT 'new')"


def _effects(project: Project, applied: list[str] | None = None, **usage: object) -> list[set[str]]:
    found = project.classed(applied, **usage)  # type: ignore[arg-type]
    return [{item.value for item in revision.effects} for revision in found]


def test_what_is_new_in_the_same_release_hurts_nobody(project: Project) -> None:
    """A table that no released version knows may be changed, filled, indexed and dropped."""
    project.sql("one", ORDERS)
    project.sql(
        "two",
        "CREATE INDEX i ON orders (total)",
        "UPDATE orders SET total = 1",
        "ALTER TABLE orders ALTER COLUMN total SET NOT NULL",
        "DROP TABLE orders",
    )
    assert _effects(project, []) == [set(), set()]
    assert _effects(project, ["one"]) == [{"blocking", "breaks", "loses"}]


def test_revisions_are_held_to_come_alone_where_nobody_knows_what_is_applied(
    project: Project,
) -> None:
    """Without a database every revision is classed as if all before it were released."""
    project.sql("one", ORDERS)
    project.sql("two", "DROP TABLE orders")
    assert _effects(project) == [set(), {"breaks", "loses"}]


def test_what_may_be_there_already_is_not_new(project: Project) -> None:
    """A table made with IF NOT EXISTS may be somebody's: what follows is classed as usual."""
    project.sql("one", "CREATE TABLE IF NOT EXISTS orders (id int)", "DROP TABLE orders")
    assert _effects(project, []) == [{"breaks", "loses"}]


def test_columns_of_the_same_release_may_be_filled_and_required(project: Project) -> None:
    """Values of a column that is new are nobody's; that it is required hurts who omits it."""
    project.sql("one", ORDERS)
    project.sql("two", "ALTER TABLE orders ADD COLUMN memo text")
    project.sql("three", "UPDATE orders SET memo = 'x' WHERE id = 1")
    project.sql("four", "ALTER TABLE orders DROP COLUMN memo")
    project.sql("five", "ALTER TABLE orders ADD COLUMN memo text DEFAULT '' NOT NULL")
    project.sql("six", "ALTER TABLE orders ADD CHECK (memo <> 'x') NOT VALID")
    assert _effects(project, ["one"]) == [set(), set(), set(), set(), set()]


def test_what_no_running_version_uses_can_go(project: Project) -> None:
    """A column and a table that no running version's models have lose data, but break nobody."""
    project.sql("one", ORDERS, "CREATE TABLE old (id int)")
    project.sql("two", "ALTER TABLE orders DROP COLUMN total")
    project.sql("three", "DROP TABLE old")
    project.sql("four", "ALTER TABLE orders DROP COLUMN state")
    usage = {"orders": {"id": ColumnUse(is_nullable=False), "state": ColumnUse()}}
    assert _effects(project, ["one"], usage=usage) == [{"loses"}, {"loses"}, {"breaks", "loses"}]


@pytest.mark.parametrize(
    ("use", "breaks"),
    [
        ({"state": ColumnUse(is_nullable=False)}, False),
        ({"state": ColumnUse(is_nullable=True)}, True),
        ({}, True),  # rows are written without it
    ],
)
def test_required_value_breaks_who_may_leave_it_empty(
    project: Project, use: dict[str, ColumnUse], breaks: bool
) -> None:
    """SET NOT NULL breaks versions whose model allows no value, or does not know the column."""
    project.sql("one", "CREATE TABLE orders (id int, state text CHECK (state IS NOT NULL))")
    project.sql("two", "ALTER TABLE orders ALTER COLUMN state SET NOT NULL")
    ((found),) = _effects(project, ["one"], usage={"orders": use})
    assert found == ({"breaks"} if breaks else set())


def test_default_that_goes_breaks_who_relies_on_it(project: Project) -> None:
    """DROP DEFAULT breaks a version that leaves the value to the database, and no other."""
    project.sql("one", ORDERS)
    project.sql("two", "ALTER TABLE orders ALTER COLUMN state DROP DEFAULT")
    relied = {"orders": {"state": ColumnUse(is_nullable=False, has_server_default=True)}}
    gives = {"orders": {"state": ColumnUse(is_nullable=False)}}
    assert _effects(project, ["one"], usage=relied) == [{"breaks"}]
    assert _effects(project, ["one"], usage=gives) == [set()]
    assert _effects(project, ["one"], usage={"orders": {}}) == [{"breaks"}]


def test_long_work_after_a_strong_lock_blocks(project: Project) -> None:
    """NOT VALID and VALIDATE in one transaction block everybody while all rows are looked at."""
    project.sql("one", ORDERS)
    add = "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID"
    project.sql("two", add, "ALTER TABLE orders VALIDATE CONSTRAINT c")
    assert _effects(project, ["one"]) == [{"blocking", "breaks"}]


def test_validated_check_of_an_earlier_release_proves_a_value(project: Project) -> None:
    """SET NOT NULL looks at no row once a valid check was added and validated before."""
    project.sql("one", ORDERS)
    project.sql("two", "ALTER TABLE orders ADD CONSTRAINT c CHECK (total IS NOT NULL) NOT VALID")
    project.sql("three", "ALTER TABLE orders VALIDATE CONSTRAINT c")
    project.sql("four", "ALTER TABLE orders ALTER COLUMN total SET NOT NULL")
    assert _effects(project, ["one"]) == [{"breaks"}, set(), {"breaks"}]


@pytest.mark.parametrize(
    "body",
    [
        "op.get_bind().execute(sa.text('SELECT 1')).scalar()",
        "if op.get_bind() is None: op.execute('SELECT 1')",
        "if not context.is_offline_mode(): op.execute('DROP TABLE orders')",
        "op.get_context().connection.execute(sa.text('SELECT 1'))",
        "if op.get_context().as_sql: op.execute('SELECT 1')",
        "sa.inspect(op.get_bind()).get_table_names()",
        "raise RuntimeError('not without a database')",
        "op.execute('SELEC 1')",
        "op.execute('COMMIT')",
    ],
)
def test_revision_that_asks_is_opaque(project: Project, body: str) -> None:
    """What depends on the database, or cannot be parsed, is opaque; it never passes as safe."""
    project.revision("one", body)
    ((found),) = _effects(project, [])
    assert Effect.OPAQUE.value in found


def test_env_without_offline_mode_makes_everything_opaque(tmp_path: Path) -> None:
    """Where `env.py` cannot print SQL, the history has a problem and nothing is taken as read."""
    env = ENV.replace("if context.is_offline_mode():", "if False:")
    project = Project(tmp_path / "online", env)
    project.sql("one", ORDERS)
    history = project.history()
    assert history.problem.startswith("env.py has no offline mode")
    assert [item.revision for item in history.revisions] == ["one"]
    assert _effects(project) == [{"opaque"}]


def test_other_databases_are_opaque(tmp_path: Path) -> None:
    """Nothing is claimed of a database whose locks are not known."""
    project = Project(tmp_path / "lite", ENV.replace('"postgresql"', '"sqlite"'))
    project.sql("one", ORDERS)
    assert "opaque" in _effects(project)[0]


def test_output_of_revisions_does_not_disturb(project: Project) -> None:
    """What `env.py` and revisions print is no part of the answer."""
    project.revision("one", "print('{')", "op.execute('SELECT 1')")
    assert [item.sql for item in project.classed()[0].statements] == ["SELECT 1"]


def test_reviewed_exceptions_are_kept_with_their_reason(project: Project) -> None:
    """`deny` takes an effect away, `accept` keeps it as accepted; both with a reason."""
    marks = 'monoyard = {"accept": {"loses": "archived"}, "deny": {"breaks": "unused since 1.4"}}'
    project.sql("one", "DROP TABLE orders", attributes=marks)
    (found,) = project.classed()
    assert found.effects == {Effect.LOSES}
    assert found.unaccepted == ()
    assert found.loses == ("orders",)
    assert {item.reason for item in found.exceptions} == {"archived", "unused since 1.4"}


@pytest.mark.parametrize(
    ("marks", "fault"),
    [
        ('monoyard = {"accept": {"loses": ""}}', "a reason is missing"),
        ('monoyard = {"acept": {"loses": "x"}}', "did you mean `accept`?"),
        ('monoyard = {"accept": {"lose": "x"}}', "did you mean `loses`?"),
        ('monoyard = {"accept": {"safe": "x"}}', "not one of"),
        ("monoyard = 3", "is not known"),
    ],
)
def test_exceptions_without_reason_are_faults(project: Project, marks: str, fault: str) -> None:
    """An exception that says nothing, or names nothing, excuses nothing and is told."""
    project.sql("one", "DROP TABLE orders", attributes=marks)
    (found,) = project.classed()
    assert Effect.LOSES in found.unaccepted
    assert fault in found.faults[0]
