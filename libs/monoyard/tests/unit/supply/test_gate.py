"""What an environment says of findings."""

from __future__ import annotations

import datetime

import pytest

from monoyard.config.policy import EnvironmentPolicy, PolicyException
from monoyard.results import SecurityFinding, merge_findings
from monoyard.supply import judge

TODAY = datetime.date(2026, 11, 21)


def found(severity: str = "critical", **changes: object) -> SecurityFinding:
    """Return a finding in a dependency, critical and with a version that mends it."""
    said: dict[str, object] = {
        "scanner": "osv-scanner", "ids": ("CVE-1", "GHSA-1"), "severity": severity,
        "message": "bad", "ecosystem": "PyPI", "package": "alembic", "version": "1",
        "fixed": ("2",), "images": ("shop",), **changes,
    }  # fmt: skip
    return SecurityFinding(**said)  # type: ignore[arg-type]  # any of its fields


def is_refused(finding: SecurityFinding, *exceptions: PolicyException, **accepts: object) -> bool:
    """Say whether an environment that refuses high findings refuses this one."""
    said: dict[str, object] = {"fail_at": "high", **accepts}
    policy = EnvironmentPolicy(("own",), **said)  # type: ignore[arg-type]  # any of its fields
    (judged,) = judge([finding], policy, exceptions, TODAY)
    return judged.is_refused


@pytest.mark.parametrize(
    ("severity", "refused"),
    [("low", False), ("medium", False), ("high", True), ("critical", True), ("", True)],
)
def test_severity_decides(severity: str, *, refused: bool) -> None:
    """What is below the threshold is accepted; what nobody rated is held as high."""
    assert is_refused(found(severity)) is refused
    assert not is_refused(found(severity), fail_at=None)


def test_only_what_can_be_mended() -> None:
    """Where it says so, an environment accepts what no version mends; code can be mended."""
    assert is_refused(found(fixed=()))
    assert not is_refused(found(fixed=()), only_fixable=True)
    code = found(fixed=(), ecosystem="", package="", path="bad.py", line=3)
    assert is_refused(code, only_fixable=True)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, False),
        ({"advisory": "CVE-1"}, False),
        ({"package": "alembic"}, False),
        ({"images": ()}, False),
        ({"expires": TODAY - datetime.timedelta(days=1)}, True),
        ({"advisory": "CVE-2"}, True),
        ({"package": "sqlalchemy"}, True),
        ({"images": ("other",)}, True),
    ],
)
def test_exception_holds_for_what_it_names(changes: dict[str, object], *, refused: bool) -> None:
    """It counts up to its last day, for its advisory by any name, its package and its images."""
    said: dict[str, object] = {
        "advisory": "GHSA-1", "owner": "ann", "reason": "not reachable", "expires": TODAY,
        "images": ("shop",), **changes,
    }  # fmt: skip
    exception = PolicyException(**said)  # type: ignore[arg-type]  # any of its fields
    assert is_refused(found(), exception) is refused


def test_exception_for_images_covers_nothing_outside_of_them() -> None:
    """A finding that is in no image, such as one of a tool, is refused all the same."""
    exception = PolicyException("GHSA-1", "ann", "not reachable", TODAY, images=("shop",))
    assert is_refused(found(images=()), exception)


def test_exception_does_not_cover_further_images() -> None:
    """A finding that is in another image too is refused there."""
    exception = PolicyException("GHSA-1", "ann", "not reachable", TODAY, images=("shop",))
    assert is_refused(found(images=("shop", "other")), exception)


def test_advisories_that_share_a_name_are_one() -> None:
    """Two databases with names of their own for one fault give one finding, over all images."""
    merged = merge_findings(
        [
            found("", ids=("PYSEC-1",), images=("one",), fixed=("2",)),
            found("high", ids=("GHSA-1",), images=("two",), fixed=("2",)),
            found("", ids=("CVE-1", "PYSEC-1", "GHSA-1"), images=("one",), fixed=("2", "3")),
            found("low", ids=("CVE-1",), package="another"),
        ]
    )
    assert [(item.package, item.severity, item.name) for item in merged] == [
        ("alembic", "high", "CVE-1"), ("another", "low", "CVE-1"),
    ]  # fmt: skip
    assert set(merged[0].images) == {"one", "two"}
    assert set(merged[0].fixed) == {"2", "3"}
