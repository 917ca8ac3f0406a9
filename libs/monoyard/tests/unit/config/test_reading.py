"""The tables as a whole: where they stand, all faults at once, layers."""

import pytest

from monoyard.config import (
    Faults,
    PackageSettings,
    SuiteSettings,
    parse_json,
    parse_toml,
    raise_faults,
    read_package_settings,
    read_workspace_settings,
    table_at,
)
from monoyard.errors import ConfigurationError


def test_root_table_stands_in_pyproject() -> None:
    """The root table is read from `[tool.monoyard]`, and knows where it came from."""
    faults: Faults = []
    document = {"tool": {"monoyard": {"members": ["libs/*"], "memory": "4GiB", "cpus": 3}}}
    settings = read_workspace_settings(document, None, faults)
    assert (settings.members, settings.memory, settings.cpus) == (("libs/*",), 4 << 30, 3)
    assert (settings.source, faults) == ("pyproject.toml", [])


def test_root_table_stands_in_a_file_of_its_own() -> None:
    """The root table is read from `monoyard.toml`, where faults name that file."""
    faults: Faults = []
    settings = read_workspace_settings({}, {"exclude": ["old"], "cpus": 0}, faults)
    assert (settings.exclude, settings.source) == (("old",), "monoyard.toml")
    assert faults == ["monoyard.toml.cpus: expected a whole number of at least 1, not 0"]


def test_root_table_in_both_places_is_a_fault() -> None:
    """Two root tables are a fault, and those of both are told."""
    faults: Faults = []
    read_workspace_settings({"tool": {"monoyard": {"cpus": 1}}}, {"cpu": 2}, faults)
    assert faults == [
        "monoyard.toml: the table also stands in pyproject.toml; keep one of them",
        "monoyard.toml: unknown key `cpu`; did you mean `cpus`?",
    ]


def test_absent_table_means_the_defaults() -> None:
    """Without a table nothing is said, and the store may grow to five gibibytes."""
    faults: Faults = []
    settings = read_workspace_settings({}, None, faults)
    assert (settings.members, settings.lock, settings.cpus, faults) == (None, None, None, [])
    assert settings.cache_limit == 5 << 30


def test_all_faults_are_found_at_once() -> None:
    """Every fault of a table is listed, each with its key path, however deep it lies."""
    faults: Faults = []
    table = {
        "rol": "lib",
        "pythons": "3.11",
        "suites": {"unti": {}, "unit": {"timeout": "soon", "needs": [1], "cpus": -1}},
    }
    read_package_settings(table, "libs/a/pyproject.toml: tool.monoyard", faults)
    assert [fault.removeprefix("libs/a/pyproject.toml: tool.monoyard") for fault in faults] == [
        ": unknown key `rol`; did you mean `role`?",
        ".pythons: expected a list, not '3.11'",
        ".suites: unknown name `unti`; did you mean `unit`?",
        ".suites.unit.timeout: expected a duration such as `90s` or `10m`, not 'soon'",
        ".suites.unit.needs[0]: expected a string, not 1",
        ".suites.unit.cpus: expected a whole number of at least 1, not -1",
    ]


def test_faults_are_raised_as_one_error() -> None:
    """One error carries all faults as its context, counts them, and points to the reference."""
    with pytest.raises(ConfigurationError, match=r"^the configuration has 2 faults$") as caught:
        raise_faults(["one", "two"])
    assert caught.value.context == ("one", "two")
    assert "configuration.md" in (caught.value.hint or "")
    with pytest.raises(ConfigurationError, match=r"^the configuration has a fault$"):
        raise_faults(["one"])
    raise_faults([])


@pytest.mark.parametrize(
    ("data", "place"), [(b"a = 1\na = 2\n", "line 2"), (b"a = '\xff'", "position 5")]
)
def test_broken_toml_is_one_fault(data: bytes, place: str) -> None:
    """A TOML file that cannot be read is one fault with its place, and counts as empty."""
    faults: Faults = []
    assert parse_toml(data, "x.toml", faults) == {}
    (fault,) = faults
    assert fault.startswith("x.toml: not valid TOML: ")
    assert place in fault


@pytest.mark.parametrize("data", [b"{", b"[]", b'"text"', b"\xff", b""])
def test_json_that_is_no_object_is_one_fault(data: bytes) -> None:
    """A JSON file that holds no object is one fault, and counts as empty."""
    faults: Faults = []
    assert parse_json(data, "package.json", faults) == {}
    assert len(faults) == 1
    assert faults[0].startswith("package.json: ")


def test_tables_of_others_may_have_any_shape() -> None:
    """A key path that leads through something else than tables leads to an empty table."""
    assert table_at({"tool": {"uv": {"a": 1}}}, "tool", "uv") == {"a": 1}
    shapes: tuple[object, ...] = ({}, {"tool": []}, {"tool": {"uv": "x"}}, [], None)
    for document in shapes:
        assert table_at(document, "tool", "uv") == {}


def test_inner_layer_wins_key_by_key() -> None:
    """What a package says wins, what it does not say comes from the workspace's table."""
    inner = SuiteSettings(timeout=5.0, enabled=False)
    outer = SuiteSettings(timeout=60.0, enabled=True, cpus=2)
    assert inner.over(outer) == SuiteSettings(timeout=5.0, enabled=False, cpus=2)


def test_package_layers_merge_suite_by_suite() -> None:
    """Suites of both layers are there, and each is merged key by key."""
    inner = PackageSettings(role="lib", suites={"unit": SuiteSettings(cpus=1)})
    outer = PackageSettings(
        role="service", pythons=("3.11",), suites={"unit": SuiteSettings(cpus=4, cache=False),
                                                   "lint": SuiteSettings(enabled=False)},
    )  # fmt: skip
    merged = inner.over(outer)
    assert (merged.role, merged.pythons) == ("lib", ("3.11",))
    assert merged.suites == {
        "lint": SuiteSettings(enabled=False), "unit": SuiteSettings(cpus=1, cache=False),
    }  # fmt: skip
