"""pytest: tests. Tested with 8.4 to 9.2."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree

from monoyard.results import Outcome, TestCase, TestCounts

CONFIG_FILES: Final = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
NOTHING_COLLECTED: Final = 5
FAILED: Final = 1
INTERRUPTED: Final = 2

_WORKERS = re.compile(r"^\d+ workers? \[", re.MULTILINE)
_DEALT_OUT = re.compile(r"\[gw\d+\](?: \[ *\d+%\])? [A-Z]+ (.*)")
_BEGUN = re.compile(r"(\S+\.py(?:::[^\s\[]+(?:\[.*\])?)?)(?: |$)")


def arguments(
    *,
    rootdir: str,
    config: str | None,
    outermost: str,
    junit: str,
    paths: Iterable[str],
    plugins: Iterable[str] = (),
    ignore: Iterable[str] = (),
    cache: str = "",
    extra: Iterable[str] = (),
) -> tuple[str, ...]:
    """Return pytest's arguments for one package.

    Args:
        rootdir: The package's directory.
        config: Its configuration file, or None so that none of a directory above is taken.
        outermost: The directory above which nothing is looked at. Without it pytest collects, and
            looks for `conftest.py`, in every directory from that of the configuration down: a
            thousand siblings of the package, or all of `/tmp`.
        junit: Where the JUnit report goes.
        paths: Test files and directories.
        plugins: Modules given with `-p`.
        ignore: Paths to leave out.
        cache: Directory of pytest's cache; empty turns it off.
        extra: Arguments of the package's table or of the command line.
    """
    return (
        f"--rootdir={rootdir}",
        f"--confcutdir={outermost}",
        *(("-c", config) if config else ("-c", "/dev/null")),
        f"--junit-xml={junit}",
        "-o", "junit_family=xunit1", "-o", "junit_logging=no",
        "-o", "verbosity_test_cases=1",  # a crash or a hang is named by the last test told
        *(("-o", f"cache_dir={cache}") if cache else ("-p", "no:cacheprovider")),
        *(item for plugin in plugins for item in ("-p", plugin)),
        *(f"--ignore={path}" for path in ignore),
        *extra,
        *paths,
    )  # fmt: skip


def distribution_arguments(workers: int) -> tuple[str, ...]:
    """Return pytest-xdist's arguments to deal tests out to workers; with one there are none.

    Each worker begins with a stretch of the tests in their order, so that few modules have their
    fixtures made twice, and takes from the others when it has done its own. A test that ends its
    worker fails once; by module or by file xdist would begin it anew with worker after worker.
    """
    return ("-n", str(workers if workers > 1 else 0), "--dist=worksteal")


def running_tests(output: str) -> tuple[str, ...]:
    """Return the node ids of the tests that were running when pytest printed no more.

    They are those that workers began and did not end, else the one that was begun last, or the
    file of those.

    Args:
        output: What pytest printed.
    """
    lines = output.splitlines()
    begun = [match[1] for line in lines if (match := _BEGUN.match(line))]
    if not _WORKERS.search(output):
        return tuple(begun[-1:])
    told = [match[1] for line in lines if (match := _DEALT_OUT.match(line))]
    ended = {match[1] for words in told if (match := _BEGUN.match(words))}
    return tuple(dict.fromkeys(name for name in begun if name not in ended))


def coverage_arguments(*, sources: Iterable[str], config: str | None) -> tuple[str, ...]:
    """Return pytest-cov's arguments: measure these directories, print nothing."""
    return (
        *(f"--cov={source}" for source in sources),
        "--cov-branch",
        "--cov-report=",
        f"--cov-config={config or '/dev/null'}",
    )


def parse_junit(report: bytes, prefix: str) -> tuple[TestCounts, tuple[TestCase, ...]] | None:
    """Parse a JUnit report of family xunit1.

    Args:
        report: The XML.
        prefix: Directory of the package from the top, with its slash.

    Returns:
        Counts and the tests that did not pass, or None where the report is not whole.
    """
    try:
        root = ElementTree.fromstring(report)  # noqa: S314  our own pytest wrote it
    except ElementTree.ParseError:
        return None
    passed = 0
    cases = []
    for element in root.iter("testcase"):
        found = [case for child in element if (case := _case(element, child, prefix))]
        cases.extend(found[:1])
        passed += not found
    by_outcome = [case.outcome for case in cases]
    counts = TestCounts(
        passed,
        by_outcome.count(Outcome.FAIL),
        by_outcome.count(Outcome.ERROR),
        by_outcome.count(Outcome.SKIP),
    )
    return counts, tuple(cases)


def split_junit(report: bytes, directories: Iterable[str]) -> dict[str, bytes] | None:
    """Split a report of several packages, made at their common root, into one for each.

    Args:
        report: The XML.
        directories: Of the packages, from that root.

    Returns:
        Directory to the report as it were of that package alone, or None where the XML is not
        whole or a test belongs to no package.
    """
    try:
        root = ElementTree.fromstring(report)  # noqa: S314  our own pytest wrote it
    except ElementTree.ParseError:
        return None
    suites = {
        directory: ElementTree.Element("testsuite", name="pytest") for directory in directories
    }
    for element in root.iter("testcase"):
        file = element.get("file") or element.get("name", "").replace(".", "/")
        owners = [place for place in suites if not place or file.startswith(f"{place}/")]
        if not owners:
            return None
        owner = max(owners, key=len)
        suites[owner].append(_as_seen_from(owner, element))
    return {place: ElementTree.tostring(suite) for place, suite in suites.items()}


def junit_seconds(report: bytes) -> float:
    """Return how long the tests of a report took together."""
    root = ElementTree.fromstring(report)  # noqa: S314  our own pytest wrote it
    return sum(float(element.get("time") or 0) for element in root.iter("testcase"))


def _as_seen_from(directory: str, element: ElementTree.Element) -> ElementTree.Element:
    dotted = directory.replace("/", ".") + "."
    for name, prefix in (("file", f"{directory}/"), ("classname", dotted), ("name", dotted)):
        if (value := element.get(name)) is not None:
            element.set(name, value.removeprefix(prefix))
    for child in element:
        if child.text:
            child.text = re.sub(rf"(?m)^{re.escape(directory)}/", "", child.text)
    return element


def _case(element: ElementTree.Element, child: ElementTree.Element, prefix: str) -> TestCase | None:
    outcome = {"failure": Outcome.FAIL, "error": Outcome.ERROR, "skipped": Outcome.SKIP}.get(
        child.tag
    )
    if outcome is None:
        return None
    file = element.get("file", "")
    message = (child.get("message") or "").strip()
    return TestCase(
        name=_node_id(element),
        outcome=outcome,
        message=message.splitlines()[0][:300] if message else "",
        path=prefix + file if file else "",
        line=_failing_line(child.text or "", file) or int(element.get("line") or -1) + 1,
        details="" if outcome is Outcome.SKIP else (child.text or "")[-20_000:],
    )


def _node_id(element: ElementTree.Element) -> str:
    file, name = element.get("file", ""), element.get("name", "")
    class_name = element.get("classname", "")
    if file and not class_name:
        return file  # it could not be collected: pytest names the module, which is no node
    module = file.removesuffix(".py").replace("/", ".")
    inner = class_name.removeprefix(module).strip(".") if class_name.startswith(module) else ""
    return "::".join(part for part in (file or class_name, *inner.split("."), name) if part)


def _failing_line(report: str, file: str) -> int:
    """Return the line in the test's own file where it failed, as pytest's report ends with it."""
    found = re.findall(rf"^{re.escape(file)}:(\d+):", report, re.MULTILINE) if file else []
    return int(found[-1]) if found else 0
