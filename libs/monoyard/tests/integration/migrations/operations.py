"""The table of operations: what each is held to do. `test_locks.py` asks PostgreSQL itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

AX = "ACCESS EXCLUSIVE"
EX = "EXCLUSIVE"
SRE = "SHARE ROW EXCLUSIVE"
S = "SHARE"
SUE = "SHARE UPDATE EXCLUSIVE"
RX = "ROW EXCLUSIVE"
RS = "ROW SHARE"
AS = "ACCESS SHARE"
ORDERS, CUSTOMERS = "shop.orders", "shop.customers"

# What released versions have made; `customers` has a valid check that every name is there.
BEFORE = (
    "CREATE SCHEMA shop",
    "CREATE TYPE shop.mood AS ENUM ('sad', 'content')",
    "CREATE TABLE shop.customers (id bigint PRIMARY KEY, email varchar(50) NOT NULL, name text,"
    " age int, note varchar(20), joined timestamp(3), price numeric(6, 2), mood shop.mood,"
    " CONSTRAINT customers_email_key UNIQUE (email),"
    " CONSTRAINT customers_age_check CHECK (age > 0),"
    " CONSTRAINT customers_name_check CHECK (name IS NOT NULL))",
    "CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, total int,"
    " state text DEFAULT 'new', seen boolean, CONSTRAINT orders_customer_fkey"
    " FOREIGN KEY (customer_id) REFERENCES shop.customers (id))",
    "ALTER TABLE shop.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID",
    "CREATE INDEX orders_state_idx ON shop.orders (state)",
    "CREATE UNIQUE INDEX orders_total_key ON shop.orders (total)",
    "CREATE VIEW shop.names AS SELECT id, email FROM shop.customers",
    "CREATE MATERIALIZED VIEW shop.totals AS SELECT id FROM shop.orders",
    "CREATE UNIQUE INDEX totals_key ON shop.totals (id)",
    "CREATE SEQUENCE shop.numbers",
    "CREATE TABLE shop.parts (id int NOT NULL) PARTITION BY LIST (id)",
    "CREATE TABLE shop.part_one PARTITION OF shop.parts FOR VALUES IN (1)",
    "CREATE TABLE shop.part_two (id int NOT NULL)",
    "CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER orders_touch BEFORE UPDATE ON shop.orders FOR EACH ROW"
    " EXECUTE FUNCTION shop.touch()",
)


@dataclass(frozen=True)
class Case:
    """One operation.

    Attributes:
        sql: The statement, or a call of `op` for `alembic`.
        effects: Its effects; none means safe.
        locks: Table to lock.
        rewrites: Tables whose rows are written anew.
        is_alembic: `sql` is Python.
        is_concurrent: It runs outside of a transaction, and waits for a writer of the table.
    """

    sql: str
    effects: str = ""
    locks: Mapping[str, str] = field(default_factory=dict, hash=False)
    rewrites: tuple[str, ...] = ()
    is_alembic: bool = False
    is_concurrent: bool = False


def _orders(sql: str, effects: str = "", lock: str = AX, *, rewrites: bool = False) -> Case:
    """Return a case of ALTER TABLE shop.orders."""
    made = (ORDERS,) if rewrites else ()
    return Case(f"ALTER TABLE shop.orders {sql}", effects, {ORDERS: lock}, made)


def _customers(sql: str, effects: str = "", lock: str = AX, *, rewrites: bool = False) -> Case:
    """Return a case of ALTER TABLE shop.customers."""
    made = (CUSTOMERS,) if rewrites else ()
    return Case(f"ALTER TABLE shop.customers {sql}", effects, {CUSTOMERS: lock}, made)


def _op(
    call: str, effects: str = "", locks: Mapping[str, str] | None = None, *rewrites: str
) -> Case:
    """Return a case of an operation of alembic."""
    return Case(call, effects, locks or {}, rewrites, is_alembic=True)


COLUMNS = (
    _orders("ADD COLUMN memo text"),
    _orders("ADD COLUMN memo varchar(20) DEFAULT 'none' NOT NULL"),
    _orders("ADD COLUMN made timestamptz DEFAULT now() NOT NULL"),
    _orders("ADD COLUMN tags text[] DEFAULT ARRAY['a', 'b']"),
    _orders("ADD COLUMN mood shop.mood DEFAULT 'sad'"),
    _orders("ADD COLUMN memo text NOT NULL", "breaks"),
    _orders("ADD COLUMN token uuid DEFAULT gen_random_uuid()", "blocking", rewrites=True),
    _orders("ADD COLUMN made timestamptz DEFAULT clock_timestamp()", "blocking", rewrites=True),
    _orders("ADD COLUMN number serial", "blocking", rewrites=True),
    _orders("ADD COLUMN number int GENERATED ALWAYS AS IDENTITY", "blocking", rewrites=True),
    _orders(
        "ADD COLUMN double int GENERATED ALWAYS AS (total * 2) STORED", "blocking", rewrites=True
    ),
    _orders("ADD COLUMN memo text CHECK (memo <> '')", "blocking"),
    _orders("ADD COLUMN memo text UNIQUE", "blocking"),
    Case(
        "ALTER TABLE shop.orders ADD COLUMN payer bigint REFERENCES shop.customers (id)",
        "",
        {ORDERS: AX, CUSTOMERS: SRE},
    ),
    Case(
        "ALTER TABLE shop.orders ADD COLUMN payer bigint DEFAULT 1 REFERENCES shop.customers (id)",
        "blocking",
        {ORDERS: AX, CUSTOMERS: SRE},
    ),
    _orders("DROP COLUMN total", "breaks loses"),
    _orders("ALTER COLUMN total SET DEFAULT 3"),
    _orders("ALTER COLUMN state DROP DEFAULT", "breaks"),
    _orders("ALTER COLUMN customer_id DROP NOT NULL"),
    _orders("ALTER COLUMN total SET NOT NULL", "blocking breaks"),
    _customers("ALTER COLUMN name SET NOT NULL", "breaks"),
    _customers("ALTER COLUMN note TYPE varchar(40)"),
    _customers("ALTER COLUMN note TYPE varchar"),
    _customers("ALTER COLUMN note TYPE text"),
    _customers("ALTER COLUMN note TYPE varchar(10)", "blocking breaks loses", rewrites=True),
    _customers("ALTER COLUMN joined TYPE timestamp(6)"),
    _customers("ALTER COLUMN joined TYPE date", "blocking breaks loses", rewrites=True),
    _customers("ALTER COLUMN price TYPE numeric(8, 2)"),
    _customers("ALTER COLUMN price TYPE numeric"),
    _customers("ALTER COLUMN price TYPE numeric(8, 3)", "blocking breaks loses", rewrites=True),
    _customers("ALTER COLUMN age TYPE bigint USING age", "blocking", rewrites=True),
    _customers("ALTER COLUMN name TYPE varchar(100)", "blocking breaks loses", rewrites=True),
    _orders("ALTER COLUMN seen TYPE int USING seen::int", "blocking breaks loses", rewrites=True),
    _orders("ALTER COLUMN state SET STATISTICS 500", "", SUE),
    _orders("ALTER COLUMN state SET STORAGE EXTERNAL"),
    _orders("ALTER COLUMN state SET COMPRESSION pglz"),
    _orders("RENAME COLUMN total TO sum", "breaks"),
)
CONSTRAINTS = (
    _orders("ADD CONSTRAINT seen_check CHECK (seen)", "blocking breaks"),
    _orders("ADD CONSTRAINT seen_check CHECK (seen) NOT VALID", "breaks"),
    _orders("ADD CONSTRAINT total_there CHECK (total IS NOT NULL) NOT VALID", "breaks"),
    Case(
        "ALTER TABLE shop.orders ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES shop.customers (id)",
        "blocking breaks",
        {ORDERS: SRE, CUSTOMERS: SRE},
    ),
    Case(
        "ALTER TABLE shop.orders ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES shop.customers (id)"
        " NOT VALID",
        "breaks",
        {ORDERS: SRE, CUSTOMERS: SRE},
    ),
    _orders("VALIDATE CONSTRAINT orders_total_check", "", SUE),
    _orders("ADD CONSTRAINT state_key UNIQUE (state)", "blocking breaks"),
    _orders("ADD CONSTRAINT total_key UNIQUE USING INDEX orders_total_key"),
    _orders("ADD CONSTRAINT state_excl EXCLUDE USING btree (state WITH =)", "blocking breaks"),
    _customers("DROP CONSTRAINT customers_age_check"),
    _customers("DROP CONSTRAINT customers_email_key", "breaks"),
    Case(
        "ALTER TABLE shop.orders DROP CONSTRAINT orders_customer_fkey",
        "",
        {ORDERS: AX, CUSTOMERS: AX},
    ),
    _orders("RENAME CONSTRAINT orders_total_check TO total_check"),
)
TABLES = (
    Case("CREATE TABLE shop.fresh (id int PRIMARY KEY, name text UNIQUE CHECK (name <> ''))"),
    Case(
        "CREATE TABLE shop.lines (id int, order_id bigint REFERENCES shop.orders (id))",
        "",
        {ORDERS: SRE},
    ),
    Case("CREATE TABLE shop.copy (LIKE shop.orders)", "", {ORDERS: AS}),
    Case("CREATE TABLE shop.copy AS SELECT * FROM shop.orders", "", {ORDERS: AS}),
    Case(
        "CREATE TABLE shop.part_three PARTITION OF shop.parts FOR VALUES IN (3)",
        "",
        {"shop.parts": AX},
    ),
    Case("DROP TABLE shop.part_two", "breaks loses", {"shop.part_two": AX}),
    Case("DROP TABLE shop.orders CASCADE", "breaks loses opaque", {ORDERS: AX, CUSTOMERS: AX}),
    Case("TRUNCATE shop.orders", "breaks loses", {ORDERS: AX}, (ORDERS,)),
    _orders("RENAME TO purchases", "breaks"),
    _orders("SET SCHEMA public", "breaks"),
    _orders("SET (autovacuum_enabled = off)", "", SUE),
    _orders("SET (fillfactor = 70)", "", SUE),
    _orders("SET UNLOGGED", "blocking", rewrites=True),
    _orders("REPLICA IDENTITY FULL"),
    _orders("ENABLE ROW LEVEL SECURITY", "breaks"),
    _orders("DISABLE TRIGGER orders_touch", "opaque", SRE),
    _orders("OWNER TO postgres", "opaque"),
    Case(
        "ALTER TABLE shop.parts ATTACH PARTITION shop.part_two FOR VALUES IN (2)",
        "blocking",
        {"shop.parts": SUE, "shop.part_two": AX},
    ),
    Case(
        "ALTER TABLE shop.parts DETACH PARTITION shop.part_one",
        "blocking breaks",
        {"shop.parts": AX, "shop.part_one": AX},
    ),
    Case("LOCK TABLE shop.orders IN SHARE MODE", "blocking", {ORDERS: S}),
    Case("LOCK TABLE shop.orders IN ROW SHARE MODE", "", {ORDERS: RS}),
    Case("COMMENT ON TABLE shop.orders IS 'x'", "", {ORDERS: SUE}),
    Case("COMMENT ON COLUMN shop.orders.total IS 'x'", "", {ORDERS: SUE}),
    Case("CREATE STATISTICS shop.both ON total, state FROM shop.orders", "", {ORDERS: SUE}),
    Case("ANALYZE shop.orders", "", {ORDERS: SUE}),
    Case("CLUSTER shop.orders USING orders_state_idx", "blocking", {ORDERS: AX}, (ORDERS,)),
)
INDEXES = (
    Case("CREATE INDEX i ON shop.orders (total)", "blocking", {ORDERS: S}),
    Case("CREATE UNIQUE INDEX i ON shop.orders (state)", "blocking breaks", {ORDERS: S}),
    Case(
        "CREATE INDEX CONCURRENTLY i ON shop.orders (total)", "", {ORDERS: SUE}, is_concurrent=True
    ),
    Case(
        "CREATE UNIQUE INDEX CONCURRENTLY i ON shop.orders (id, total)", "breaks", {ORDERS: SUE},
        is_concurrent=True,
    ),
    Case("CREATE INDEX CONCURRENTLY i ON shop.orders (total)", "opaque", {ORDERS: SUE}),
    Case("DROP INDEX shop.orders_state_idx", "blocking", {ORDERS: AX}),
    Case(
        "DROP INDEX CONCURRENTLY shop.orders_state_idx", "", {ORDERS: SUE}, is_concurrent=True
    ),
    Case("REINDEX TABLE shop.orders", "blocking", {ORDERS: S}),
    Case("REINDEX TABLE CONCURRENTLY shop.orders", "", {ORDERS: SUE}, is_concurrent=True),
    Case("ALTER INDEX shop.orders_state_idx RENAME TO state_idx"),
)  # fmt: skip
ROWS = (
    Case("INSERT INTO shop.customers (id, email, name) VALUES (2, 'b', 'b')", "", {CUSTOMERS: RX}),
    Case(
        "INSERT INTO shop.customers (id, email, name) VALUES (1, 'b', 'b')"
        " ON CONFLICT (id) DO UPDATE SET email = 'b'",
        "loses",
        {CUSTOMERS: RX},
    ),
    Case(
        "INSERT INTO shop.part_two SELECT id FROM shop.orders",
        "",
        {"shop.part_two": RX, ORDERS: AS},
    ),
    Case("UPDATE shop.orders SET total = 1", "blocking loses", {ORDERS: RX}),
    Case("UPDATE shop.orders SET total = 1 WHERE id = 1", "", {ORDERS: RX}),
    Case("UPDATE shop.orders SET total = 1 WHERE state = 'new'", "blocking loses", {ORDERS: RX}),
    Case("UPDATE shop.orders SET seen = true WHERE seen IS NULL", "blocking", {ORDERS: RX}),
    Case("DELETE FROM shop.orders", "blocking loses", {ORDERS: RX}),
    Case("DELETE FROM shop.orders WHERE id IN (7, 8)", "", {ORDERS: RX}),
    Case(
        "DELETE FROM shop.orders WHERE id IN (SELECT id FROM shop.orders LIMIT 10)",
        "loses",
        {ORDERS: RX},
    ),
    Case(
        "WITH gone AS (DELETE FROM shop.orders RETURNING id) SELECT count(*) FROM gone",
        "blocking loses",
        {ORDERS: RX},
    ),
    Case("SELECT count(*) FROM shop.orders", "", {ORDERS: AS}),
    Case("SELECT set_config('a.b', 'c', false)", "opaque"),
    Case("DO $$ BEGIN UPDATE shop.orders SET total = 1; END $$", "opaque"),
)
OTHERS = (
    Case("CREATE SCHEMA other"),
    Case("CREATE TYPE shop.size AS ENUM ('small')"),
    Case("ALTER TYPE shop.mood ADD VALUE 'happy'"),
    Case("ALTER TYPE shop.mood RENAME VALUE 'sad' TO 'blue'", "breaks"),
    Case("DROP SCHEMA shop CASCADE", "breaks loses opaque"),
    Case("CREATE VIEW shop.ids AS SELECT id FROM shop.orders", "", {ORDERS: AS}),
    Case(
        "CREATE OR REPLACE VIEW shop.names AS SELECT id, email FROM shop.customers WHERE id > 1",
        "breaks", {"shop.names": AX, CUSTOMERS: AS},
    ),
    Case("DROP VIEW shop.names", "breaks", {"shop.names": AX}),
    Case(
        "REFRESH MATERIALIZED VIEW shop.totals", "blocking", {"shop.totals": AX}, ("shop.totals",)
    ),
    Case("REFRESH MATERIALIZED VIEW CONCURRENTLY shop.totals", "opaque", {"shop.totals": EX}),
    Case(
        "CREATE TRIGGER t BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch()",
        "opaque", {ORDERS: SRE},
    ),
    Case("DROP TRIGGER orders_touch ON shop.orders", "opaque", {ORDERS: AX}),
    Case("CREATE POLICY p ON shop.orders USING (true)", "breaks", {ORDERS: AX}),
    Case(
        "CREATE RULE r AS ON DELETE TO shop.orders DO ALSO NOTHING", "opaque", {ORDERS: AX}
    ),
    Case("ALTER SEQUENCE shop.numbers RESTART", "opaque", {"shop.numbers": SRE}),
    Case("CREATE SEQUENCE shop.more"),
    Case("DROP SEQUENCE shop.numbers", "breaks loses", {"shop.numbers": AX}),
    Case("SET LOCAL lock_timeout = '1s'"),
    Case("SET search_path = shop", "opaque"),
    Case("GRANT SELECT ON shop.orders TO PUBLIC"),
    Case("REVOKE ALL ON shop.orders FROM PUBLIC", "breaks"),
)  # fmt: skip
ALEMBIC = (
    _op("op.add_column('orders', sa.Column('memo', sa.Text()), schema='shop')", "", {ORDERS: AX}),
    _op(
        "op.add_column('orders', sa.Column('memo', sa.Text(), nullable=False), schema='shop')",
        "breaks", {ORDERS: AX},
    ),
    _op("op.drop_column('orders', 'total', schema='shop')", "breaks loses", {ORDERS: AX}),
    _op(
        "op.alter_column('orders', 'total', new_column_name='sum', schema='shop')", "breaks",
        {ORDERS: AX},
    ),
    _op(
        "op.alter_column('orders', 'total', type_=sa.BigInteger(), schema='shop')", "blocking",
        {ORDERS: AX}, ORDERS,
    ),
    _op(
        "op.alter_column('orders', 'total', nullable=False, schema='shop')", "blocking breaks",
        {ORDERS: AX},
    ),
    _op("op.alter_column('orders', 'state', server_default='x', schema='shop')", "", {ORDERS: AX}),
    _op("op.create_index('i', 'orders', ['total'], schema='shop')", "blocking", {ORDERS: S}),
    _op("op.drop_index('orders_state_idx', 'orders', schema='shop')", "blocking", {ORDERS: AX}),
    _op(
        "op.create_check_constraint('c', 'orders', sa.text('total < 9'), schema='shop')",
        "blocking breaks", {ORDERS: AX},
    ),
    _op(
        "op.create_foreign_key('f', 'orders', 'customers', ['id'], ['id'], source_schema='shop',"
        " referent_schema='shop', postgresql_not_valid=True)",
        "breaks", {ORDERS: SRE, CUSTOMERS: SRE},
    ),
    _op(
        "op.create_unique_constraint('u', 'orders', ['state'], schema='shop')", "blocking breaks",
        {ORDERS: AX},
    ),
    _op(
        "op.create_table('fresh', sa.Column('id', sa.Integer(), primary_key=True), schema='shop')"
    ),
    _op("op.drop_table('part_two', schema='shop')", "breaks loses", {"shop.part_two": AX}),
    _op("op.rename_table('orders', 'purchases', schema='shop')", "breaks", {ORDERS: AX}),
    _op("op.execute('UPDATE shop.orders SET total = 1')", "blocking loses", {ORDERS: RX}),
    _op("op.execute(sa.text('DELETE FROM shop.orders WHERE id = 3'))", "", {ORDERS: RX}),
    _op(
        "op.bulk_insert(sa.table('part_two', sa.column('id', sa.Integer()), schema='shop'),"
        " [{'id': 1}])",
        "", {"shop.part_two": RX},
    ),
    _op("op.create_table_comment('orders', 'x', schema='shop')", "", {ORDERS: SUE}),
)  # fmt: skip
CASES = (*COLUMNS, *CONSTRAINTS, *TABLES, *INDEXES, *ROWS, *OTHERS, *ALEMBIC)
