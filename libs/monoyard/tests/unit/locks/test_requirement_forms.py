"""Forms of a requirements file that pip accepts and the usual writers rarely use."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monoyard.locks import OPTIONS_LABEL, Dependency, Lock, closure, parse_lock, slice_entries

Read = Callable[[str], Lock]
VIA = "    # via -r x.in\n"


def names(lock: Lock, *roots: str) -> list[str]:
    """Return the names in a closure that must be complete."""
    found = closure(lock, roots)
    assert found.complete, found.reason
    return [one.name for one in found.distributions]


def value(lock: Lock, name: str) -> str:
    """Return what a key says of one distribution."""
    return dict(slice_entries(closure(lock, [name])))[name]


@pytest.mark.parametrize(
    ("line", "version", "marker"),
    [
        ("a==1", "1", None),
        ("a===1", "1", None),
        ("a==1;os_name=='nt'", "1", "os_name=='nt'"),
        ('a==1 ; python_version == "3.*"', "1", 'python_version == "3.*"'),
        ("a@https://files.example/a.zip", "https://files.example/a.zip", None),
        ("a @ git+https://g.example/a@1 ; os_name == 'nt'", "git+https://g.example/a@1",
         "os_name == 'nt'"),
        ("a==1 \\\n    ; os_name == 'nt'", "1", "os_name == 'nt'"),
    ],
)  # fmt: skip
def test_every_way_to_pin_is_read(
    requirements: Read, line: str, version: str, marker: str | None
) -> None:
    """However a pin is spelled, the version and the marker are told apart without a doubt."""
    lock = requirements(f"{line}\n{VIA}")
    found = lock.distributions["a"]
    assert (found.version, found.marker, lock.problem, lock.kind) == (
        version, marker, None, "requirements",
    )  # fmt: skip


@pytest.mark.parametrize(
    "line", ["a==1,<2", "a~=1.0", "a==1.*", "a!=1", "-e git+https://g.example/a#egg=a"]
)
def test_every_way_not_to_pin_is_a_problem(requirements: Read, line: str) -> None:
    """A line that leaves a choice of versions is named."""
    assert requirements(f"{line}\n{VIA}").problem == "line 1 does not pin a to one version"


@pytest.mark.parametrize(
    ("line", "name", "version"),
    [
        ("name-e==1", "name-e", "1"),
        ("a @ https://f.example/x-e=1.zip", "a", "https://f.example/x-e=1.zip"),
        ("a @ https://f.example/X", "a", "https://f.example/X"),
    ],
)
def test_letters_that_stand_for_something_elsewhere_are_read_as_they_are(
    requirements: Read, line: str, name: str, version: str
) -> None:
    """A name may end as an option is spelled, and an address with any letter."""
    lock = requirements(f"{line}\n{VIA}")
    assert lock.distributions[name].version == version
    assert names(lock, name) == [name]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a==1 --hash=sha256:aa", "a==1 --hash=sha256:ab"),
        ("a==1 ; os_name == 'nt'", "a==1 ; os_name == 'posix'"),
        ("a==1;os_name=='nt'", "a==1;os_name=='posix'"),
        ("a==1 --hash=sha256:aa \\\n    --hash=sha256:bb", "a==1 \\\n    --hash=sha256:bb"),
        ("-e git+https://g.example/a@1#egg=a", "-e git+https://g.example/a@2#egg=a"),
        ("https://f.example/1.zip#egg=a --hash=sha256:aa",
         "https://f.example/1.zip#egg=a --hash=sha256:ab"),
        ("https://f.example/1.zip#egg=a ; os_name == 'nt'", "https://f.example/1.zip#egg=a"),
    ],
)  # fmt: skip
def test_everything_that_decides_what_is_installed_is_in_the_key(
    requirements: Read, old: str, new: str
) -> None:
    """Another hash, marker or address of a distribution is another value in a key."""
    before, after = (requirements(f"{line}\n{VIA}") for line in (old, new))
    assert value(before, "a") != value(after, "a")


def test_options_are_in_the_key_of_a_whole_lock(requirements: Read) -> None:
    """Where a closure is the whole lock, its key still says how the installer is set."""
    plain, with_option = (
        slice_entries(closure(requirements(f"{more}a==1\n"), ["a"])) for more in ("", "--pre\n")
    )
    assert [label for label, _ in with_option] == [OPTIONS_LABEL, "a"]
    assert with_option[1:] == plain


def test_the_end_of_a_line_is_no_part_of_an_option(requirements: Read) -> None:
    """A backslash or a remark behind an option does not change the key of all packages."""
    for end in (" \\", "  # remark", ""):
        assert requirements(f"--pre{end}\n\na==1\n{VIA}").options == ("--pre",)


def test_hashes_without_a_requirement_count_as_options(requirements: Read) -> None:
    """Hashes that belong to no entry are kept as they stand, so that a change of them shows."""
    lock = requirements(f"# lost\n    --hash=sha256:aa\na==1\n{VIA}")
    assert lock.options == ("--hash=sha256:aa",)


def test_a_hash_beside_a_comment_is_a_hash(requirements: Read) -> None:
    """A hash on a line that ends with the annotation is read like one on a line of its own."""
    found = requirements("a==1 \\\n    --hash=sha256:aa  # via -r x.in\n").distributions["a"]
    assert (found.version, found.hashes) == ("1", ("sha256:aa",))


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_change_nothing(
    requirements: Read, end: str, mark: str
) -> None:
    """A file reads the same from every editor, line numbers included."""
    text = f"a==1 \\\n    --hash=sha256:aa\n{VIA}b>=1\n{VIA}"
    lock = requirements(mark + text.replace("\n", end))
    assert lock == requirements(text)
    assert lock.problem == "line 4 does not pin b to one version"


def test_line_numbers_count_the_lines_of_hashes(requirements: Read) -> None:
    """The number in a message is that of the line in an editor, after several blocks of hashes."""
    entry = " \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n" + VIA
    lock = requirements(f"a==1{entry}b==1{entry}\nc>=1\n{VIA}")
    assert lock.problem == "line 10 does not pin c to one version"


@pytest.mark.parametrize("option", ["-r other.txt", "-rother.txt", "-c c.txt", "-cc.txt"])
def test_included_files_make_a_lock_unreadable(requirements: Read, option: str) -> None:
    """A file that is included but not read could hold anything, and is named."""
    lock = requirements(f"{option}\na==1\n{VIA}")
    assert lock.problem == f"it includes another file ({option}), which is not read"
    assert not lock.is_readable


@pytest.mark.parametrize("line", ["-e ./api", "--editable ./api", "--editable=./api", "./api"])
def test_paths_without_a_name_are_told_from_options(requirements: Read, line: str) -> None:
    """A local path is a distribution without a name, however it is installed."""
    lock = requirements(f"{line}\n{VIA}a==1\n    # via b\nb==1\n{VIA}")
    found = lock.distributions["./api"]
    assert (found.is_anonymous, found.is_local, found.version) == (True, True, "./api")
    assert (lock.problem, lock.options) == (None, ())
    assert closure(lock, ["-r x.in"]).reason == (
        "requirements.txt: `./api` has no name to find it by"
    )
    assert names(lock, "b") == ["a", "b"]


def test_what_comes_from_an_address_keeps_its_hashes_and_marker(requirements: Read) -> None:
    """An address with a name is pinned by its hashes for its marker like anything else."""
    line = "https://f.example/a.zip#egg=a ; os_name == 'nt' --hash=sha256:bb --hash=sha256:aa"
    found = requirements(f"{line}\n{VIA}").distributions["a"]
    assert (found.hashes, found.marker) == (("sha256:aa", "sha256:bb"), "os_name == 'nt'")


def test_a_path_listed_twice_stays_without_a_name(requirements: Read) -> None:
    """Two entries for one path are as doubtful, and as local, as one."""
    lock = requirements(f"./api ; os_name == 'nt'\n{VIA}./api ; os_name == 'posix'\n{VIA}")
    found = lock.distributions["./api"]
    assert (found.is_anonymous, found.is_local) == (True, True)


def test_named_places_on_this_machine_are_local(requirements: Read) -> None:
    """A name behind `#egg=` makes a path a distribution whose bytes are not pinned."""
    lock = requirements(f"-e ./api#egg=Shop.Api\n{VIA}https://f.example/b.zip#egg=b\n{VIA}")
    assert closure(lock, ["-r x.in"]).local_names == ("shop-api",)


def test_the_project_itself_needs_no_parent(requirements: Read) -> None:
    """The root project stands in an export without an annotation, and that is no doubt."""
    lock = requirements("-e ./shop#egg=shop\na==1\n    # via shop\n")
    assert names(lock, "shop") == ["a", "shop"]


def test_only_annotations_name_parents(requirements: Read) -> None:
    """A remark that no `# via` began is no parent; what a second annotation names is one more."""
    lock = requirements(
        f"a==1\n    #   b\n{VIA}    # via c\nb==1\n{VIA}"
        f"XlsxWriter==1\n    # via\n    #   b\nc==1\n{VIA}"
    )
    assert names(lock, "b") == ["b", "xlsxwriter"]
    assert names(lock, "c") == ["a", "c"]
    assert names(lock, "-r x.in") == ["a", "b", "c", "xlsxwriter"]
    assert lock.projects.keys() == {"-r x.in"}


def test_every_annotation_of_an_entry_counts(requirements: Read) -> None:
    """Who a first `# via` names needs the entry as much as who a second one names."""
    lock = requirements(f"a==1\n    # via b\n    # via c\nb==1\n{VIA}c==1\n{VIA}")
    assert names(lock, "b") == ["a", "b"]
    assert names(lock, "c") == ["a", "c"]


@pytest.mark.parametrize("parent", ["-r my needs.in", "--requirement my needs.in"])
def test_inputs_are_named_whole(requirements: Read, parent: str) -> None:
    """An input file is a parent under its whole name, in both spellings of the option."""
    lock = requirements(f"a==1 ; os_name == 'nt'\n    # via {parent}\n")
    assert lock.projects == {"-r my needs.in": (Dependency("a", marker="os_name == 'nt'"),)}


def test_entries_of_one_name_are_put_together_in_any_order() -> None:
    """Forks give one value with all they ask for, whichever the file has first."""
    first = "a[x]==1 ; os_name == 'nt' --hash=sha256:aa\n    # via -r x.in\n"
    second = "a[y]==1 ; os_name == 'posix' --hash=sha256:bb\n    # via -r x.in\n"
    one, two = (
        parse_lock("r.txt", text.encode()).distributions["a"]
        for text in (first + second, second + first)
    )
    assert (one.version, one.extras, one.marker, one.proof) == (
        "1", ("x", "y"), "1: os_name == 'nt' | 1: os_name == 'posix'", two.proof,
    )  # fmt: skip
    other = parse_lock("r.txt", (first + second.replace("bb", "bc")).encode())
    assert other.distributions["a"].proof != one.proof


def test_a_marker_that_moves_to_another_version_is_in_the_key(requirements: Read) -> None:
    """Which version is for which interpreter decides what is installed, though none is new."""
    before, after = (
        requirements("".join(f"a=={one} ; os_name == '{name}'\n{VIA}" for one, name in forks))
        for forks in ([(1, "a"), (1, "b"), (2, "c")], [(1, "a"), (2, "b"), (2, "c")])
    )
    assert before.distributions["a"].version == after.distributions["a"].version == "1 | 2"
    assert value(before, "a") != value(after, "a")
