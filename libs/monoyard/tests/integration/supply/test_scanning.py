"""Real scanners over code, locks and the SBOM of a small image, with a database made here."""

from __future__ import annotations

import datetime
import json
import subprocess
from pathlib import Path

import pytest

from monoyard.config.policy import EnvironmentPolicy
from monoyard.errors import MachineError, ToolError
from monoyard.results import merge_findings
from monoyard.supply import Database, Scanners, describe, judge
from monoyard.testing.layouts import write_layout
from monoyard.tools import osv_scanner

from .yard import BAD, program, write_database

TODAY = datetime.date(2026, 11, 21)
RULES = "ruleDirs: [rules]\n"
RULE = """\
id: no-eval
language: python
severity: error
message: it runs what it is given
rule: {pattern: eval($CODE)}
"""
TOKEN = "gh" + "p_abcdEFGH1234567890abcdEFGH1234567890"  # not a secret of anybody


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with one commit."""
    top = tmp_path / "top"
    (top / "rules").mkdir(parents=True)
    subprocess.run(("git", "init", "--quiet", "--initial-branch=main", "."), cwd=top, check=True)
    (top / "README.md").write_text("a repository\n", encoding="utf-8")
    commit(top)
    return top


def commit(top: Path) -> None:
    """Commit everything."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    subprocess.run(("git", "add", "--all"), cwd=top, check=True)
    subprocess.run(("git", *who, "commit", "--quiet", "-m", "state"), cwd=top, check=True)


@pytest.fixture
def scanners(top: Path) -> Scanners:
    """Scanners of the repository."""
    return Scanners(top, program)


def test_code_and_dockerfiles_are_looked_at(top: Path, scanners: Scanners) -> None:
    """ruff, the repository's own rules and hadolint each name file, line and rule."""
    (top / "bad.py").write_text("import os\n\neval(input())\nos.chmod('a', 0o777)\n", "utf-8")
    (top / "sgconfig.yml").write_text(RULES, encoding="utf-8")
    (top / "rules" / "eval.yml").write_text(RULE, encoding="utf-8")
    (top / "Dockerfile").write_text("FROM debian:12\nRUN cd /x && ls\n", encoding="utf-8")
    code = {(item.ids[0], item.path, item.line) for item in scanners.code()}
    assert {("S307", "bad.py", 3), ("S103", "bad.py", 4)} <= code
    (own,) = scanners.patterns("sgconfig.yml")
    assert (own.ids, own.path, own.line, own.severity) == (("no-eval",), "bad.py", 3, "high")
    (docker,) = scanners.dockerfiles(["Dockerfile"])
    assert (docker.ids, docker.path, docker.line) == (("DL3003",), "Dockerfile", 2)
    assert scanners.patterns("none/sgconfig.yml") == scanners.dockerfiles([]) == ()


def test_rules_that_settings_ignore_stay_ignored(top: Path, scanners: Scanners) -> None:
    """Where the security rules are selected, an exception of the settings is one for the scan."""
    (top / "bad.py").write_text("eval(input())\n", encoding="utf-8")
    settings = 'lint.select = ["S"]\nlint.ignore = ["S307"]\n'
    (top / "ruff.toml").write_text(settings, encoding="utf-8")
    assert scanners.code() == ()


def test_secrets_are_found_where_they_are(top: Path, scanners: Scanners) -> None:
    """A secret is told in the change, in history and uncommitted, and never shown."""
    head = ("git", "rev-parse", "HEAD")
    first = subprocess.run(head, cwd=top, check=True, capture_output=True, text=True).stdout
    (top / "README.md").write_text(f"a\ntoken = '{TOKEN}'\n", encoding="utf-8")
    (found,) = scanners.secrets(f"{first.strip()}..HEAD", has_changes=True)
    assert (found.path, found.commit, found.severity) == ("README.md", "", "critical")
    subprocess.run(("git", "add", "--all"), cwd=top, check=True)
    (staged,) = scanners.secrets(f"{first.strip()}..HEAD", has_changes=True)
    assert staged == found
    commit(top)
    (top / "README.md").write_text("gone\n", encoding="utf-8")
    commit(top)
    (found,) = scanners.secrets("", has_changes=False)
    assert (found.path, found.line, len(found.commit)) == ("README.md", 2, 40)
    assert TOKEN not in repr(found)
    assert scanners.secrets("HEAD~1..HEAD", has_changes=False) == ()


def test_untracked_files_are_searched_for_secrets(top: Path, scanners: Scanners) -> None:
    """A file that git does not know yet is one that the next commit may bring in."""
    (top / "new").mkdir()
    (top / "new" / "settings.py").write_text(f"a\ntoken = '{TOKEN}'\n", encoding="utf-8")
    assert scanners.secrets("", has_changes=True) == ()
    untracked = ["new/settings.py", "gone.py"]
    (found,) = scanners.secrets("", has_changes=False, untracked=untracked)
    assert (found.path, found.line, found.commit) == ("new/settings.py", 2, "")
    assert TOKEN not in repr(found)
    allowed = "[extend]\nuseDefault = true\n[[allowlists]]\npaths = ['new/settings.py']\n"
    (top / ".gitleaks.toml").write_text(allowed, encoding="utf-8")
    assert scanners.secrets("", has_changes=False, untracked=untracked) == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uv.lock", 'version = 1\n[[package]]\nname = "alembic"\nversion = "1.20.1"\n'
         'source = { registry = "https://pypi.org/simple" }\n'),
        ("pylock.toml", 'lock-version = "1.0"\ncreated-by = "pip"\n[[packages]]\n'
         'name = "alembic"\nversion = "1.20.1"\n'),
        ("poetry.lock", '[[package]]\nname = "alembic"\nversion = "1.20.1"\n'
         'optional = false\nfiles = []\n[metadata]\nlock-version = "2.1"\n'),
    ],
)  # fmt: skip
def test_locks_of_other_tools_are_read(
    top: Path, scanners: Scanners, tmp_path: Path, name: str, text: str
) -> None:
    """A bad package is found in the lock of whichever tool, by the name of its file."""
    assert name in osv_scanner.LOCKS
    (top / name).write_text(text, encoding="utf-8")
    known = Database.find(write_database(tmp_path / "bad", "PyPI"), top, tmp_path)
    (found,) = scanners.dependencies(known, top / name)
    assert (found.package, found.version, found.fixed) == ("alembic", "1.20.1", ("2.0",))


def image(tmp_path: Path) -> dict[str, object]:
    """Return the SBOM of an image with a Debian and a Python package."""
    status = "Package: openssl\nVersion: 3.0.22-1\nArchitecture: amd64\n"
    files = {
        "etc/os-release": "ID=debian\nVERSION_ID=12\n",
        "var/lib/dpkg/status.d/openssl": status,
        "opt/lib/python3.11/site-packages/alembic-1.20.1.dist-info/METADATA": (
            "Metadata-Version: 2.1\nName: alembic\nVersion: 1.20.1\n"
        ),
    }
    layout = write_layout(tmp_path / "layout", files)
    scratch = tmp_path / "sbom"
    scratch.mkdir()
    return describe(program("syft"), layout, "shop", scratch)


def test_bad_packages_of_an_image_and_a_lock_are_found_until_they_are_mended(
    top: Path, scanners: Scanners, tmp_path: Path
) -> None:
    """A Python, a Debian and an npm package are refused, and accepted once they are mended."""
    lock = {
        "name": "page", "lockfileVersion": 3,
        "packages": {"": {}, "node_modules/preact": {"version": "11.2.0"}},
    }  # fmt: skip
    (top / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    sbom = image(tmp_path)

    def refused(database: str) -> dict[str, tuple[str, ...]]:
        known = Database.find(database, top, tmp_path)
        found = [
            *scanners.image(known, "shop", sbom),
            *scanners.dependencies(known, top / "package-lock.json"),
        ]
        accepts = EnvironmentPolicy(("own",), fail_at="high")
        judged = judge(merge_findings(found), accepts, (), TODAY)
        return {item.finding.package: item.finding.fixed for item in judged if item.is_refused}

    bad = write_database(tmp_path / "bad", *BAD)
    assert refused(bad) == {"alembic": ("2.0",), "openssl": ("3.0.30-1",), "preact": ("12.0.0",)}
    mended = {"PyPI": "1.20.1", "Debian": "3.0.22-1", "npm": "11.2.0"}
    assert refused(write_database(tmp_path / "mended", *BAD, fixed=mended)) == {}


def test_missing_database_is_an_error_and_no_pass(
    top: Path, scanners: Scanners, tmp_path: Path
) -> None:
    """No database, an empty one, and one without an ecosystem that is needed are all told."""
    for setting in ("", "nowhere"):
        with pytest.raises(MachineError, match="database of known vulnerabilities") as raised:
            Database.find(setting, top, tmp_path)
        assert raised.value.code == "no-database"
    known = Database.find(write_database(tmp_path / "half", "Debian"), top, tmp_path)
    with pytest.raises((MachineError, ToolError)):
        scanners.image(known, "shop", image(tmp_path))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "lists no package"),
        ("pkg:oci/shop@sha256%3Aaa?arch=amd64", "lists no package"),
        ("pkg:deb/debian/openssl@3?arch=amd64", "1 Debian packages of no known release"),
    ],
)
def test_image_that_would_be_left_out_is_an_error(
    top: Path, scanners: Scanners, tmp_path: Path, address: str, said: str
) -> None:
    """An SBOM without packages, or with some that the scanner would drop, is no pass."""
    known = Database.find(write_database(tmp_path / "all", *BAD), top, tmp_path)
    sbom = {"packages": [{"externalRefs": [{"referenceLocator": address}]}]}
    with pytest.raises(ToolError, match=said):
        scanners.image(known, "shop", sbom)


def test_old_database_is_an_error(top: Path, tmp_path: Path) -> None:
    """What was fetched too long ago says nothing of today; what is fetched now is never old."""
    known = Database.find(write_database(tmp_path / "one", "npm"), top, tmp_path)
    known.check_age(3600.0, known.fetched_at + 3600.0)
    with pytest.raises(MachineError, match="is 2 hours old, and 1 are allowed") as raised:
        known.check_age(3600.0, known.fetched_at + 7200.0)
    assert raised.value.code == "database-too-old"
    Database.find("download", top, tmp_path).check_age(0.0, known.fetched_at)


def test_database_is_known_by_its_content(top: Path, tmp_path: Path) -> None:
    """Two databases differ in their identity exactly where their files differ."""
    one = Database.find(write_database(tmp_path / "one", "npm"), top, tmp_path)
    other = Database.find(write_database(tmp_path / "other", "npm", "PyPI"), top, tmp_path)
    assert one.identity != other.identity
    assert one == Database.find(str(tmp_path / "one"), top, tmp_path)
