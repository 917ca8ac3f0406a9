"""What the scanners say, as they say it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monoyard.tools import ast_grep, crane, gitleaks, hadolint, osv_scanner, ruff

FIXED = {"events": [{"introduced": "0"}, {"fixed": "2.0"}], "type": "ECOSYSTEM"}
GIT = {"events": [{"fixed": "0123abcd"}], "type": "GIT"}


def osv(score: str, *ranges: object) -> bytes:
    """Return a result with one package and two records of one fault."""
    affected = [{"package": {"ecosystem": "PyPI", "name": "alembic"}, "ranges": list(ranges)}]
    other = [{"package": {"ecosystem": "npm", "name": "alembic"}, "ranges": [FIXED]}]
    records = [
        {"id": "PYSEC-1", "affected": affected},
        {"id": "GHSA-1", "summary": "bad", "affected": other},
    ]
    group = {"ids": ["PYSEC-1", "GHSA-1"], "aliases": ["CVE-1"], "max_severity": score}
    package = {"ecosystem": "PyPI", "name": "alembic", "version": "1.0"}
    found = {"package": package, "vulnerabilities": records, "groups": [group]}
    return json.dumps({"results": [{"packages": [found]}]}).encode()


def test_vulnerability_with_all_its_names() -> None:
    """Records of one group are one finding; only versions of its own ecosystem mend it."""
    (found,) = osv_scanner.parse(osv("9.8", FIXED, GIT))
    assert found.ids == ("PYSEC-1", "GHSA-1", "CVE-1")
    assert (found.name, found.severity, found.fixed) == ("CVE-1", "critical", ("2.0",))
    assert (found.package, found.version, found.message) == ("alembic", "1.0", "bad")
    assert osv_scanner.parse(osv("", GIT))[0].fixed == ()


@pytest.mark.parametrize(
    ("score", "word"),
    [
        ("10.0", "critical"), ("9.0", "critical"), ("8.9", "high"), ("7.0", "high"),
        ("6.9", "medium"), ("4.0", "medium"), ("3.9", "low"), ("0.1", "low"), ("0.0", ""),
        ("", ""), ("severe", ""),
    ],
)  # fmt: skip
def test_bands_of_cvss(score: str, word: str) -> None:
    """The words are those of the CVSS standard; no score is no word."""
    assert osv_scanner.severity_of(score) == word


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b'{"results": 1}'])
def test_what_is_no_result_is_no_pass(said: bytes) -> None:
    """A scanner that printed something else has found nothing out."""
    with pytest.raises(ValueError, match=r"no result of osv-scanner|Expecting value"):
        osv_scanner.parse(said)


def test_requirements_are_named_as_such() -> None:
    """A lock of requirements may have any name, an SBOM and an npm lock have theirs."""
    for name, form in (("workspace.txt", "requirements.txt:"), ("package-lock.json", "")):
        argv = osv_scanner.scan(Path("osv"), Path("/db"), Path(f"/r/{name}"), is_fetching=False)
        assert argv[-1] == f"--lockfile={form}/r/{name}"
        assert "--offline" in argv
        assert "--local-db-path=/db" in argv
    fetching = osv_scanner.scan(Path("osv"), Path("/db"), Path("/r/x.txt"), is_fetching=True)
    assert "--download-offline-databases" in fetching
    assert "--offline" not in fetching


def test_leaks_are_redacted() -> None:
    """Reports are asked for without the secrets, and have file, line and commit."""
    argv = gitleaks.scan_commits(Path("gitleaks"), "a..b", Path("/r.json"))
    assert {"--redact", "--log-opts=a..b"} < set(argv)
    assert not any(word.startswith("--log-opts") for word in gitleaks.scan_commits(
        Path("gitleaks"), "", Path("/r.json")))  # fmt: skip
    said = [
        {"RuleID": "key", "Description": "a key", "File": "a.py", "StartLine": 3, "Commit": "c"}
    ]
    (found,) = gitleaks.parse(json.dumps(said).encode())
    assert (found.path, found.line, found.commit, found.severity) == ("a.py", 3, "c", "critical")


def test_remarks_have_a_place() -> None:
    """ast-grep counts lines from 0, hadolint from 1; both come out from 1."""
    said = {
        "ruleId": "no-eval", "severity": "error", "file": "./a.py", "message": "bad",
        "range": {"start": {"line": 0}},
    }  # fmt: skip
    (found,) = ast_grep.parse(json.dumps(said).encode() + b"\n")
    assert (found.path, found.line, found.severity) == ("a.py", 1, "high")
    remark = [{"code": "DL1", "level": "style", "file": "D", "line": 1, "message": "m"}]
    (found,) = hadolint.parse(json.dumps(remark).encode())
    assert (found.ids, found.line, found.severity) == (("DL1",), 1, "low")


def test_few_security_rules_are_ruffs_own_defaults() -> None:
    """Settings count as selecting the security rules where they select more than the defaults."""
    few = b"".join(b"\tname (S%d),\n" % number for number in range(101, 110))
    many = b"".join(b"\tname (S%d),\n" % number for number in range(101, 150))
    assert not ruff.has_security_rules(few + few + many[:0])
    assert ruff.has_security_rules(many)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Error: GET https://r/v2/x: MANIFEST_UNKNOWN: manifest unknown", "absent"),
        ("Error: GET https://r/v2/x: NAME_UNKNOWN: repository name not known", "absent"),
        ("Error: GET https://r/v2/x: unexpected status code 404 Not Found", "absent"),
        ("Error: GET https://r/token: UNAUTHORIZED: authentication required", "credentials"),
        ("Error: PUT https://r/v2/x: unexpected status code 403 Forbidden", "credentials"),
        ("Error: GET https://r/v2/x: TOOMANYREQUESTS: pull rate limit", "too-many-requests"),
        ('Error: Get "http://r/v2/": dial tcp: connect: connection refused', "down"),
        ("Error: GET https://r: unexpected status code 503 Service Unavailable", "broken"),
        ("Error: no idea", "other"),
        ("", "other"),
    ],
)
def test_refusals_of_a_registry(said: str, kind: str) -> None:
    """What a registry answers is told apart; only a clear "not there" counts as absent."""
    assert crane.refusal(said).kind == kind
