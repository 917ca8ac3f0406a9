"""Helm: whole calls in both major versions, and what its answers mean."""

from pathlib import Path

import pytest

from monoyard.tools import helm

HELM = Path("/bin/helm")
PLACE = helm.Place("shop", "there", Path("/k"))


def test_a_chart_is_rendered_without_a_cluster() -> None:
    """Values come from files in their order and from standard input, for one named Kubernetes."""
    assert helm.template(HELM, "api", "charts/x", ("a.yaml", "-"), "shop", "1.34.4") == (
        "/bin/helm", "template", "api", "charts/x", "--namespace=shop",
        "--kube-version=1.34.4", "--skip-tests", "--values", "a.yaml", "--values", "-",
    )  # fmt: skip


def test_lint_is_strict() -> None:
    """Warnings count, and values are held against the chart's schema."""
    assert helm.lint(HELM, "charts/x", ("-",), "shop") == (
        "/bin/helm", "lint", "charts/x", "--strict", "--quiet", "--namespace=shop",
        "--values", "-",
    )  # fmt: skip


@pytest.mark.parametrize(("major", "further"), [(3, ()), (4, ("--server-side=false",))])
def test_an_upgrade_never_waits(major: int, further: tuple[str, ...]) -> None:
    """It installs or upgrades, keeps nothing of the values before, and says who did it."""
    call = helm.upgrade(
        HELM, "api", "charts/x", ("-",), PLACE, major=major, labels={"deployment": "7"},
        description="by 7", seconds=120.0,
    )  # fmt: skip

    assert call == (
        "/bin/helm", "upgrade", "api", "charts/x", "--install", "--reset-values",
        "--history-max=20", "--values", "-", "--namespace=shop", "--kube-context=there",
        "--kubeconfig=/k", "--output=json", "--description=by 7", "--timeout=120s",
        "--labels=deployment=7", *further,
    )  # fmt: skip
    assert "--wait" not in call


def test_a_dry_run_asks_the_server_and_shows_no_secret() -> None:
    """What the API server would take is known before anything is sent."""
    call = helm.upgrade(
        HELM, "api", "x", (), helm.Place("shop"), major=4, labels={}, description="d",
        seconds=1, dry_run=True,
    )  # fmt: skip

    assert call[-3:] == ("--dry-run=server", "--hide-secret", "--server-side=false")


def test_going_back_is_a_new_revision() -> None:
    """A rollback sends what an earlier revision rendered, the same way as an upgrade does."""
    assert helm.rollback(HELM, "api", 3, helm.Place("shop"), major=4, seconds=60) == (
        "/bin/helm", "rollback", "api", "3", "--namespace=shop", "--history-max=20",
        "--timeout=60s", "--server-side=false",
    )  # fmt: skip


def test_a_removed_release_keeps_its_history() -> None:
    """What was there can still be told, and a second removal is no fault."""
    assert helm.uninstall(HELM, "api", helm.Place("shop"), seconds=60) == (
        "/bin/helm", "uninstall", "api", "--namespace=shop", "--keep-history",
        "--ignore-not-found", "--timeout=60s",
    )  # fmt: skip


@pytest.mark.parametrize(("major", "further"), [(3, ("--all",)), (4, ())])
def test_releases_in_every_state_are_listed(major: int, further: tuple[str, ...]) -> None:
    """An interrupted release is one of those that have to be seen."""
    call = helm.releases(HELM, helm.Place("shop"), major=major, labels={"a": "1", "b": "2"})

    assert call == (
        "/bin/helm", "list", "--output=json", "--max=0", "--namespace=shop", *further,
        "--selector=a=1,b=2",
    )  # fmt: skip


def test_a_revision_is_asked_for_by_number() -> None:
    """Manifest, values and history are those of one release in one place."""
    place = helm.Place("shop")

    assert helm.manifest(HELM, "api", place, 3)[1:] == (
        "get", "manifest", "api", "--namespace=shop", "--revision=3",
    )  # fmt: skip
    assert helm.values_of(HELM, "api", place)[1:] == (
        "get", "values", "api", "--output=json", "--namespace=shop",
    )  # fmt: skip
    assert helm.history(HELM, "api", place)[1:] == (
        "history", "api", "--output=json", "--max=20", "--namespace=shop",
    )  # fmt: skip


def test_a_history_is_in_order() -> None:
    """Revisions come from the oldest to the newest, and an interrupted one is known as such."""
    said = b"""[
        {"revision": 2, "status": "pending-upgrade", "chart": "service-1.0.0",
         "description": "Preparing upgrade"},
        {"revision": 1, "status": "deployed", "chart": "service-1.0.0", "description": "done"}
    ]"""

    first, second = helm.parse_history(said, "api")

    assert (first.revision, first.status, first.is_interrupted) == (1, "deployed", False)
    assert (second.revision, second.description, second.is_interrupted) == (
        2, "Preparing upgrade", True,
    )  # fmt: skip


def test_a_list_has_revisions_as_text() -> None:
    """`helm list` prints numbers as text, `helm history` as numbers."""
    said = b'[{"name": "api", "revision": "12", "status": "deployed", "chart": "service-1.0.0"}]'

    assert helm.parse_releases(said) == (helm.Release("api", 12, "deployed", "service-1.0.0"),)


@pytest.mark.parametrize(
    ("said", "values"), [(b"null\n", {}), (b'{"a": {"b": 1}}', {"a": {"b": 1}})]
)
def test_no_values_are_an_empty_table(said: bytes, values: object) -> None:
    """A release that was given nothing has no values."""
    assert helm.parse_values(said) == values


@pytest.mark.parametrize("said", [b"", b"{}", b"nonsense"])
def test_what_is_no_list_is_refused(said: bytes) -> None:
    """A changed output is an error, not an empty history."""
    with pytest.raises(ValueError, match=r"list|JSON|Expecting"):
        helm.parse_history(said, "api")


@pytest.mark.parametrize("said", ["v4.3.1", "v3.22.0+gabc", "version.BuildInfo v3.22.0"])
def test_versions_are_numbers(said: str) -> None:
    """Both majors print their version in the same form."""
    assert helm.parse_version(said)[0] in helm.ACCEPTED


def test_no_version_is_an_error() -> None:
    """A program that names no version is not Helm."""
    with pytest.raises(ValueError, match="no version"):
        helm.parse_version("command not found")


def test_a_missing_release_is_told_from_other_failures() -> None:
    """The first deployment finds nothing there, and that is no fault."""
    assert helm.is_missing("Error: release: not found")
    assert not helm.is_missing("Error: Kubernetes cluster unreachable")


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        (
            "level=WARN\nError: values don't meet the specifications\n- at '/port': got string\n"
            "\nUse --debug flag to render out invalid YAML\n",
            ("values don't meet the specifications", "- at '/port': got string"),
        ),
        (
            "==> Linting x\n[ERROR] templates/: wrong\n\nError: 1 chart(s) linted, 1 failed\n",
            ("templates/: wrong",),
        ),
        ("something else\n", ("something else",)),
        ("", ()),
    ],
)
def test_complaints_begin_where_helm_says_error(said: str, lines: tuple[str, ...]) -> None:
    """A finding holds what is wrong, without Helm's own advice and counts."""
    assert helm.complaints(said) == lines
