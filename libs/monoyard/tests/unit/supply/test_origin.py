"""Addresses, tags and statements about where images come from."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from monoyard.changes import Branches, Event
from monoyard.config.policy import read_policy
from monoyard.errors import ConfigurationError, UsageError
from monoyard.plan import Manifest
from monoyard.supply import Origin, find_origin, own_identity
from monoyard.supply.origin import passed_tests, provenance, public_address, read_provenance
from monoyard.supply.registry import version_tags
from monoyard.workspace import Repository, Tree, take_snapshot

KEY = hashlib.sha256(b"key").hexdigest()
COMMIT = "1" * 40


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/acme/shop.git", "https://github.com/acme/shop"),
        ("https://user:secret@git.example.org/acme/shop", "https://git.example.org/acme/shop"),
        ("git@github.com:acme/shop.git", "https://github.com/acme/shop"),
        ("ssh://git@git.example.org:2222/acme/shop.git", "https://git.example.org/acme/shop"),
        ("/srv/git/shop", ""), ("../shop", ""), ("file:///srv/shop", ""), ("", ""),
    ],
)  # fmt: skip
def test_address_of_a_remote(remote: str, address: str) -> None:
    """Provenance names an address that others can reach, without anybody's credentials."""
    assert public_address(remote) == address


def test_tags_of_versions() -> None:
    """A git tag gives its version to all images, or to the one that it names."""
    tags = ("v1.2.0", "shop-v1.3", "shop/v1.4.0-rc1", "shop@1.5", "other-v9.9", "nightly", "v1")
    assert version_tags("shop", tags) == ("1.2.0", "1.3", "1.4.0-rc1", "1.5")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with one commit."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "file.py").write_text("A = 1\n", "utf-8")
    commit(tmp_path)
    return tmp_path


def git(top: Path, *words: str) -> None:
    """Run git."""
    subprocess.run(("git", "-C", str(top), *words), check=True, capture_output=True)


def commit(top: Path) -> None:
    """Commit everything."""
    git(top, "add", "--all")
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    git(top, *author, "commit", "--quiet", "--message=one")


def origin_of(top: Path, tree: Tree | None = None, event: Event | None = None) -> Origin:
    """Return where images of a repository on its default branch come from."""
    repository = Repository.locate(top)
    return find_origin(
        repository, {}, Branches("main", "main"), "https://git/shop", identity="",
        tree=tree or take_snapshot(repository), event=event or Event(),
    )  # fmt: skip


def test_tree_of_a_commit_is_clean(work: Path) -> None:
    """What is committed as it is read is told by the commit, also in a directory below."""
    assert origin_of(work).is_clean
    (work / "dir").mkdir()
    (work / "dir" / "other.py").write_text("B = 1\n", "utf-8")
    assert not origin_of(work).is_clean
    commit(work)
    assert origin_of(work).is_clean


def test_edit_that_git_was_told_to_overlook_is_not_clean(work: Path) -> None:
    """Bytes that no commit has are never claimed to be a commit's, whatever `git status` says."""
    git(work, "update-index", "--assume-unchanged", "file.py")
    (work / "file.py").write_text("A = 2, 3\n", "utf-8")
    assert not origin_of(work).is_clean


def test_commit_that_was_checked_out_meanwhile_is_not_what_was_read(work: Path) -> None:
    """Keys of one tree are not bound to the commit that HEAD has become since."""
    before = take_snapshot(Repository.locate(work))
    (work / "file.py").write_text("A = 2\n", "utf-8")
    commit(work)
    assert origin_of(work).is_clean
    assert not origin_of(work, before).is_clean


@pytest.mark.parametrize("kind", ["pull-request", "merge-queue"])
def test_what_is_not_merged_is_of_no_default_branch(work: Path, kind: str) -> None:
    """A request to merge the default branch elsewhere builds what that branch does not have."""
    found = origin_of(work, event=Event(kind, branch="main", base_branch="release"))
    assert (found.is_default_branch, found.branch) == (False, "")
    pushed = origin_of(work, event=Event("push", branch="main"))
    assert (pushed.is_default_branch, pushed.branch) == (True, "main")


@pytest.mark.parametrize("is_clean", [True, False])
def test_provenance_claims_a_commit_only_for_a_clean_tree(*, is_clean: bool) -> None:
    """Uncommitted changes are no commit; key, image, source and builder are always told."""
    origin = Origin("https://git/shop", COMMIT, is_clean, "main", (), "https://builder")
    manifest = Manifest(KEY, {"own files": KEY, "odd": "no digest"}, lambda _: ())
    said = provenance(origin, "shop", manifest, "python", 0.0)
    claim = read_provenance({"predicate": said})
    assert claim.commit == (COMMIT if is_clean else "")
    assert (claim.source, claim.image, claim.key) == ("https://git/shop", "shop", KEY)
    assert claim.builder == "https://builder"
    names = [item.get("name") for item in said["buildDefinition"]["resolvedDependencies"]]
    assert "inputs: own files" in names
    assert "inputs: odd" not in names


@pytest.mark.parametrize(
    "predicate", [{}, {"buildDefinition": 1}, {"buildDefinition": {"resolvedDependencies": 7}}, []]
)
def test_odd_provenance_claims_nothing(predicate: object) -> None:
    """A signed statement of another shape is read as one that says nothing."""
    claim = read_provenance({"predicate": predicate})
    assert (claim.source, claim.image, claim.key, claim.commit, claim.builder) == ("",) * 5


def test_tests_that_passed_have_their_keys() -> None:
    """The result names the tasks, each with the key under which it passed."""
    said = passed_tests({"shop:unit": KEY, "shop:lint": KEY})
    assert (said["result"], said["passedTests"]) == ("PASSED", ["shop:lint", "shop:unit"])
    assert said["configuration"][1] == {"name": "shop:unit", "digest": {"sha256": KEY}}


def test_identity_of_a_job() -> None:
    """GitHub certifies the workflow file with its ref; elsewhere no identity is known."""
    known = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_WORKFLOW_REF": "a/b/c.yml@refs/x"}
    assert own_identity(known) == "https://github.com/a/b/c.yml@refs/x"
    assert own_identity({"GITHUB_SERVER_URL": "https://github.com"}) == ""


def test_without_a_policy_there_is_one_environment() -> None:
    """`dev` trusts the key that this machine made itself, and nothing else."""
    policy = read_policy(None, "policy.toml")
    assert list(policy.environments) == ["dev"]
    assert policy.environment("dev").trusts == ("generated",)
    with pytest.raises(UsageError, match="did you mean `dev`"):
        policy.environment("dve")


def test_faults_of_a_policy_are_told_at_once() -> None:
    """Every fault is named with its file and key path."""
    text = """
    [signers.both]
    key = "k.pub"
    identity = "me"
    issuer = "https://issuer"
    [signers.half]
    identity = "me"
    [environments.dev]
    trusts = ["bot"]
    fail-at = "hihg"
    builder-level = 4
    [environments.prod]
    colour = "red"
    [[exceptions]]
    advisory = "CVE-1"
    expires = "soon"
    """
    with pytest.raises(ConfigurationError) as raised:
        read_policy(text.encode(), "policy.toml")
    assert set(raised.value.context) == {
        "policy.toml.environments.dev.fail-at: 'hihg' is not one of low, medium, high, critical; "
        "did you mean `high`?",
        "policy.toml.environments.prod: unknown key `colour`",
        "policy.toml.exceptions[0].expires: expected a day such as 2027-01-31, not 'soon'",
        "policy.toml.signers.both: either `key`, or `identity` and `issuer`",
        "policy.toml.signers.half: either `key`, or `identity` and `issuer`",
        "policy.toml.environments.dev.trusts: no signer `bot`; did you mean `both`?",
        "policy.toml.environments.dev.builder-level: SLSA ends at 3",
        "policy.toml.environments.prod: `trusts` names nobody",
        "policy.toml.exceptions[0]: owner, reason, expires missing",
    }
