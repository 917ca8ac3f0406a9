"""The PostgreSQL plugin, run as packages run it: whole pytest processes on a real server."""

import os
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from monoyard.testing.plugins import monoyard_postgres as plugin

PLUGIN_DIRECTORY = Path(plugin.__file__).parent
PATIENCE_SECONDS = 240.0

MIGRATE = """
    import os, pathlib, psycopg
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE migrated (run int)")
    with pathlib.Path("migrations.log").open("a") as log:
        log.write("ran\\n")
"""
TESTS = """
    import pathlib, psycopg, pytest

    @pytest.mark.parametrize("number", range(4))
    def test_own_database(postgres_url, number):
        with psycopg.connect(postgres_url) as connection:
            connection.execute("INSERT INTO migrated VALUES (%s)", [number])
            name = connection.info.dbname
        with pathlib.Path("databases.log").open("a") as log:
            log.write(name + "\\n")
"""


class Package:
    """A package on disk whose tests are run with the plugin."""

    def __init__(self, directory: Path, server_url: str) -> None:
        self.directory = directory
        self.template = f"plugin_test_{uuid.uuid4().hex[:12]}"
        self.environment = {
            "MONOYARD_POSTGRES_URL": server_url,
            "MONOYARD_POSTGRES_TEMPLATE": self.template,
            "MONOYARD_POSTGRES_MIGRATE": '["python", "migrate.py"]',
        }
        self.write("migrate.py", MIGRATE)
        self.write("test_package.py", TESTS)

    def write(self, name: str, text: str) -> None:
        """Write a file of the package."""
        (self.directory / name).write_text(textwrap.dedent(text), encoding="utf-8")

    def lines(self, name: str) -> list[str]:
        """Return the lines that tests or migrations appended to a log."""
        return (self.directory / name).read_text(encoding="utf-8").splitlines()

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the package's tests."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name in {"PATH", "HOME", "TMPDIR"} or name.startswith("COVERAGE_")
        }
        search_path = os.pathsep.join([str(PLUGIN_DIRECTORY), os.environ.get("PYTHONPATH", "")])
        return subprocess.Popen(
            (
                *(sys.executable, "-m", "pytest", "-p", "monoyard_postgres"),
                *("--rootdir", ".", "-c", os.devnull, "-p", "no:cacheprovider", "-rs"),
                *arguments,
            ),
            cwd=self.directory,
            env={**inherited, "PYTHONPATH": search_path, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run the package's tests; return the exit code and everything printed."""
        with self.start(*arguments) as process:
            try:
                output, _ = process.communicate(timeout=PATIENCE_SECONDS)
            finally:
                process.kill()
            return process.returncode, output


def database_names(server_url: str, prefix: str) -> list[str]:
    """Return the databases of the server whose names start with `prefix`, but not `prefix`."""
    with psycopg.connect(server_url) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND datname <> %s",
            [prefix, prefix],
        )
        return [name for (name,) in rows]


@pytest.fixture
def server_url() -> str:
    """Return the URL of the server under test; its absence skips here and fails in CI."""
    url = os.environ.get(plugin.URL_VARIABLE)
    if not url:
        told = f"{plugin.URL_VARIABLE} is not set"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    return url


@pytest.fixture
def package(tmp_path: Path, server_url: str) -> Iterator[Package]:
    """Yield a package whose template is removed at the end."""
    made = Package(tmp_path, server_url)
    yield made
    plugin.Server(server_url).drop(made.template)


def test_workers_share_one_migration_and_no_database(package: Package, server_url: str) -> None:
    """With two workers the migration runs once, each has its own copy, and both copies go away."""
    code, output = package.run("-n", "2", "--dist", "each")
    assert code == 0, output
    assert package.lines("migrations.log") == ["ran"]
    databases = package.lines("databases.log")
    assert len(databases) == 8
    assert len(set(databases)) == 2
    assert database_names(server_url, package.template) == []


def test_packages_at_the_same_time_share_one_template(package: Package) -> None:
    """Three processes that start together with one template name migrate once."""
    processes = [package.start() for _ in range(3)]
    outputs = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert package.lines("migrations.log") == ["ran"]
    assert len(set(package.lines("databases.log"))) == 3


def test_failed_migration_shows_its_end_and_is_tried_again(package: Package) -> None:
    """A failing migration is told with its last lines and leaves no usable template behind."""
    package.write("migrate.py", MIGRATE + '\n    raise SystemExit("column clock is missing")')
    code, output = package.run("-x")
    assert code != 0
    assert "the migration failed (exit 1)" in output
    assert "column clock is missing" in output
    assert "Traceback" not in output
    package.write("migrate.py", MIGRATE)
    assert package.run()[0] == 0


def test_half_made_template_is_made_anew(package: Package, server_url: str) -> None:
    """A template without its mark, as a killed process leaves it, is not copied."""
    server = plugin.Server(server_url)
    server.create(package.template)
    with psycopg.connect(server.url_of(package.template)) as connection:
        connection.execute("CREATE TABLE migrated (wrong text)")
    code, output = package.run()
    assert code == 0, output
    assert package.lines("migrations.log") == ["ran"]


def test_without_template_name_the_database_itself_is_migrated(package: Package) -> None:
    """A migration without a template name runs on the test process's own database."""
    del package.environment["MONOYARD_POSTGRES_TEMPLATE"]
    assert package.run()[0] == 0
    assert package.run()[0] == 0
    assert package.lines("migrations.log") == ["ran", "ran"]


def test_empty_database_is_new_for_each_test(package: Package, server_url: str) -> None:
    """`postgres_empty_url` names an empty database that the next test does not see."""
    package.write(
        "test_package.py",
        """
        import psycopg, pytest

        @pytest.mark.parametrize("number", range(2))
        def test_empty(postgres_empty_url, number):
            with psycopg.connect(postgres_empty_url) as connection:
                connection.execute("CREATE TABLE mine ()")
                print("database", connection.info.dbname)
        """,
    )
    code, output = package.run("-s")
    assert code == 0, output
    names = {line.split()[-1] for line in output.splitlines() if "database monoyard" in line}
    assert len(names) == 2
    assert names.isdisjoint(database_names(server_url, "monoyard_test"))


def test_absent_server_skips_at_the_desk_and_fails_in_ci(package: Package) -> None:
    """Without the server's URL tests are skipped with the reason, and fail where CI is set."""
    del package.environment["MONOYARD_POSTGRES_URL"]
    code, output = package.run()
    assert code == 0
    assert "4 skipped" in output
    assert "MONOYARD_POSTGRES_URL is not set: no PostgreSQL server" in output
    package.environment["CI"] = "true"
    code, output = package.run()
    assert code == 1
    assert "MONOYARD_POSTGRES_URL is not set: no PostgreSQL server" in output


def test_unreachable_server_is_told_in_one_line(package: Package) -> None:
    """A server that does not answer is one line without a traceback."""
    package.environment["MONOYARD_POSTGRES_URL"] = "postgresql://postgres@127.0.0.1:1/postgres"
    code, output = package.run("-x")
    assert code == 1
    assert "no PostgreSQL at MONOYARD_POSTGRES_URL: connection failed" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("text", ["alembic upgrade", "[]", "[1]", '"alembic"'])
def test_migration_that_is_no_list_of_words_is_told(text: str, tmp_path: Path) -> None:
    """A migration variable of any other shape is refused by name."""
    with pytest.raises(plugin.PostgresPluginError, match="MONOYARD_POSTGRES_MIGRATE is not a JSON"):
        plugin.Migration.from_json(text, tmp_path)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me:pw@db:5433/postgres", "postgresql://me:pw@db:5433/other"),
        ("postgres://me@db", "postgres://me@db/other"),
        (
            "postgresql://postgres@/postgres?host=/run/pg&sslmode=disable",
            "postgresql://postgres@/other?host=/run/pg&sslmode=disable",
        ),
        ("postgresql:///postgres?host=/run/pg", "postgresql:///other?host=/run/pg"),
    ],
)
def test_url_of_another_database_keeps_everything_else(url: str, expected: str) -> None:
    """Only the database's name changes, for TCP and for Unix-socket URLs."""
    assert plugin.Server(url).url_of("other") == expected
