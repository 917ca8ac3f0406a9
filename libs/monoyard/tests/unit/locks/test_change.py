from __future__ import annotations

from collections.abc import Callable

from monoyard.locks import Lock, affected_roots, difference, parse_lock

Read = Callable[[str], Lock]

OLD = (
    "a==1 --hash=sha256:aa\n    # via -r x.in\n"
    "b==1 --hash=sha256:bb\n    # via a\n"
    "c==1 --hash=sha256:cc\n    # via -r x.in\n"
)
ROOTS = {"api": ["a>=1"], "worker": ["c"], "docs": []}


def test_difference_names_both_versions(requirements: Read) -> None:
    """Additions, removals and replacements are told apart; what stayed is not mentioned."""
    new = requirements(OLD.replace("b==1", "b==2").replace("c==1", "d==1"))
    assert difference(requirements(OLD), new) == {
        "b": ("1", "2"),
        "c": ("1", None),
        "d": (None, "1"),
    }


def test_other_files_behind_a_version_are_a_difference(requirements: Read) -> None:
    """A changed hash under an unchanged version shows as two equal versions."""
    new = requirements(OLD.replace("sha256:cc", "sha256:cd"))
    assert difference(requirements(OLD), new) == {"c": ("1", "1")}


def test_only_packages_whose_closure_changed_are_affected(requirements: Read) -> None:
    """A new version of a transitive dependency affects those who reach it, and names it."""
    affected = affected_roots(requirements(OLD), requirements(OLD.replace("b==1", "b==2")), ROOTS)
    assert {package: change.names for package, change in affected.items()} == {"api": ("b",)}
    assert affected["api"].reason is None


def test_new_edge_affects_though_no_version_changed(requirements: Read) -> None:
    """A distribution that only moved under another parent changes that parent's closure."""
    new = requirements(
        OLD.replace("b==1 --hash=sha256:bb\n    # via a", "b==1 --hash=sha256:bb\n    # via a, c")
    )
    affected = affected_roots(requirements(OLD), new, ROOTS)
    assert {package: change.names for package, change in affected.items()} == {"worker": ("b",)}


def test_equal_locks_affect_nobody(requirements: Read) -> None:
    """Comments and order are no change."""
    assert affected_roots(requirements(OLD), requirements(f"# again\n{OLD}"), ROOTS) == {}
    bare = "a==1\nc==1\n"
    assert affected_roots(requirements(bare), requirements(bare), ROOTS) == {}


def test_lock_without_comments_affects_everybody_once_it_changes(requirements: Read) -> None:
    """Where closures cannot be told apart any change affects all, and the reason is given."""
    affected = affected_roots(requirements("a==1\nc==1\n"), requirements("a==1\nc==2\n"), ROOTS)
    assert affected.keys() == ROOTS.keys()
    assert affected["docs"].names == ("c",)
    assert affected["docs"].reason == (
        "requirements.txt: it has no `# via` comments, so no closure can be told apart"
    )


def test_comments_lost_on_the_way_still_affect(requirements: Read) -> None:
    """A new lock without comments is compared whole, old comments or not."""
    lines = [line for line in OLD.replace("b==1", "b==2").splitlines() if "via" not in line]
    affected = affected_roots(requirements(OLD), requirements("\n".join(lines)), ROOTS)
    assert affected.keys() == ROOTS.keys()
    assert {change.names for change in affected.values()} == {("b",)}
    assert all("`# via`" in (change.reason or "") for change in affected.values())


def test_unreadable_lock_affects_everybody(requirements: Read) -> None:
    """When either side cannot be read all packages are affected, even by an equal file."""
    broken = parse_lock("uv.lock", b"[[")
    for old, new in [(requirements(OLD), broken), (broken, requirements(OLD)), (broken, broken)]:
        affected = affected_roots(old, new, ROOTS)
        assert affected.keys() == ROOTS.keys()
        assert all("uv.lock: it is not valid TOML" in (c.reason or "") for c in affected.values())
        assert all(change.names == () for change in affected.values())


def test_changed_option_affects_those_with_requirements(requirements: Read) -> None:
    """An option of the installer concerns every package that installs anything or nothing."""
    affected = affected_roots(requirements(OLD), requirements(f"--no-binary :all:\n{OLD}"), ROOTS)
    assert affected.keys() == ROOTS.keys()


def test_requirement_that_appears_in_the_lock_is_a_change(requirements: Read) -> None:
    """A package whose requirement the old lock lacked is affected when the new one has it."""
    roots = {"api": ["zzz"]}
    new = requirements(f"{OLD}zzz==1\n    # via -r x.in\n")
    assert affected_roots(requirements(OLD), new, roots)["api"].names == ("zzz",)


def test_changed_option_affects_where_closures_cannot_be_told_apart(requirements: Read) -> None:
    """Options count for a lock without comments as well."""
    affected = affected_roots(requirements("a==1\n"), requirements("--pre\na==1\n"), ROOTS)
    assert affected.keys() == ROOTS.keys()
