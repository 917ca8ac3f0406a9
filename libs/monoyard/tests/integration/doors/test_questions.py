"""Questions to the plan, asked as a person asks them: `invoke affected`, `plan`, `explain`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import jsonschema
import pytest

from monoyard.plan import plan_schema

if TYPE_CHECKING:
    from .conftest import Checkout

USES_ALPHA = "import alpha\n\n\ndef test_it() -> None:\n    assert alpha.answer() == 42\n"
EDITED = "libs/beta/src/beta/__init__.py"
NEW = "libs/gamma/tests/test_more.py"


@pytest.fixture(scope="module")
def asked(new_checkout: Callable[[], "Checkout"]) -> "Checkout":
    """A branch with an edit and a new file, over a state of three packages that has passed.

    Beta needs alpha, gamma's tests need alpha; the edit is in beta and the new file in gamma.
    """
    checkout = new_checkout()
    checkout.package("alpha")
    checkout.package("beta", "alpha")
    table = '[dependency-groups]\ntest = ["alpha"]\n'
    checkout.package("gamma", test=USES_ALPHA, table=table)
    checkout.commit()
    assert checkout.nox("ci").code == 0
    checkout.git("checkout", "--quiet", "-b", "work")
    place = checkout.top / EDITED
    place.write_text(place.read_text("utf-8") + "\n\nMORE = 1\n", encoding="utf-8")
    checkout.commit()
    checkout.write(NEW, "def test_more() -> None:\n    assert True\n")
    return checkout


def answer(checkout: "Checkout", *words: str) -> dict[str, Any]:
    """Return what an invoke task prints as JSON."""
    ended = checkout.invoke(*words)
    assert ended.code == 0, ended.text
    value: dict[str, Any] = json.loads(ended.out)
    return value


def test_affected_packages_are_listed_with_their_causes(asked: "Checkout") -> None:
    """Each affected package stands there with its suites and the reason, and no other one does."""
    ended = asked.invoke("affected")
    assert ended.code == 0, ended.text
    base = asked.git("merge-base", "main", "HEAD")[:12]
    assert ended.out.splitlines() == [
        f"base {base}: where this branch left `main`; 2 paths changed",
        "beta  (lint unit)",
        f"  {EDITED} changed",
        "gamma  (lint unit)",
        f"  {NEW} changed",
        "2 of 3 packages affected",
    ]


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        (["--since", "HEAD"], ["gamma  (lint unit)", "1 of 3 packages affected"]),
        (["--", "--since=HEAD"], ["gamma  (lint unit)", "1 of 3 packages affected"]),
        (["--", "beta", "libs/alpha"], ["beta  (lint unit)", "1 of 2 packages affected"]),
        (["--", "--exclude", "gamma"], ["beta  (lint unit)", "1 of 2 packages affected"]),
        (
            ["--", "--suite", "unit"],
            ["beta  (unit)", "gamma  (unit)", "2 of 3 packages affected"],
        ),
    ],
)
def test_words_narrow_what_is_listed(
    asked: "Checkout", words: list[str], listed: list[str]
) -> None:
    """A ref, packages and suites narrow the list; they mean what they mean at the other door."""
    ended = asked.invoke("affected", *words)
    assert ended.code == 0, ended.text
    kept = [line for line in ended.out.splitlines() if not line.startswith(("base ", "  "))]
    assert kept == listed


def test_plan_tells_what_will_run_and_what_is_known(asked: "Checkout") -> None:
    """The plan lists every task, those that will run first, each with its cause."""
    ended = asked.invoke("plan")
    assert ended.code == 0, ended.text
    rows = [line.split() for line in ended.out.splitlines()[1:-1]]
    assert [row[:2] for row in rows] == [
        ["run", "beta:lint"], ["run", "beta:unit"], ["run", "gamma:lint"], ["run", "gamma:unit"],
        ["hit", "alpha:lint"], ["hit", "alpha:unit"],
    ]  # fmt: skip
    assert rows[1][-2:] == [EDITED, "changed"]
    assert ended.out.splitlines()[-1].startswith("6 tasks: 4 run, 2 hit; about ")


def test_plan_of_named_packages_leaves_the_others_out(asked: "Checkout") -> None:
    """Packages after `--` are planned, and the others count as not selected."""
    ended = asked.invoke("plan", "--", "alpha")
    assert ended.code == 0, ended.text
    assert "beta" not in ended.out
    assert "6 tasks: 2 hit, 4 not-selected; about 0.0 s of work" in ended.out


@pytest.mark.parametrize("words", [["affected"], ["plan", "--", "--json"]])
def test_plans_keep_to_their_published_schema(asked: "Checkout", words: list[str]) -> None:
    """What is printed as JSON is valid under the schema that readers are promised."""
    option = [] if "--json" in words else ["--json"]
    data = answer(asked, words[0], *option, *words[1:])
    jsonschema.Draft202012Validator(plan_schema()).validate(data)
    causes = {task["id"]: [cause["type"] for cause in task["causes"]] for task in data["tasks"]}
    data["tasks"][0]["state"] = "perhaps"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(plan_schema()).validate(data)
    assert causes["alpha:unit"] == []
    assert causes["beta:unit"] == ["ChangedFile"]
    assert data["changed"] == sorted([EDITED, NEW])


def test_json_goes_to_a_file(asked: "Checkout", tmp_path: Path) -> None:
    """`--json=FILE` writes the answer there and prints nothing."""
    target = tmp_path / "plan.json"
    ended = asked.invoke("plan", f"--json={target}")
    assert (ended.code, ended.out) == (0, ""), ended.text
    assert json.loads(target.read_text("utf-8"))["version"] == 1


def test_explanation_names_cause_and_difference(asked: "Checkout") -> None:
    """A task that will run says what affects it and what differs from its last success."""
    ended = asked.invoke("explain", "beta:unit")
    assert ended.code == 0, ended.text
    first, key, *rest = ended.out.splitlines()
    assert first == "beta:unit: run"
    assert len(key.removeprefix("key ")) == 64
    assert rest == [
        f"affected: {EDITED} changed",
        f"changed since the last success: changed: {EDITED}",
    ]


def test_explanation_of_a_known_task(asked: "Checkout") -> None:
    """A task whose result is known says so, with its causes as data, too."""
    ended = asked.invoke("explain", "alpha:unit")
    assert "alpha:unit: hit" in ended.out
    assert "affected: no, nothing it reads changed since the base" in ended.out
    data = answer(asked, "explain", "alpha:unit", "--json")
    assert (data["state"], data["causes"], data["differences"]) == ("hit", [], [])
    assert data["problem"] == "its key is that of the last success"


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        (
            "mermaid",
            ["graph LR", '  p0["alpha"]', '  p1["beta"]', '  p2["gamma"]', "  p1 --> p0",
             "  p2 -.-> p0"],
        ),
        (
            "dot",
            ["digraph workspace {", '  rankdir="LR"; node [shape="box"];', '  "alpha";',
             '  "beta";', '  "gamma";', '  "beta" -> "alpha";',
             '  "gamma" -> "alpha" [style=dashed];', "}"],
        ),
    ],
)  # fmt: skip
def test_graph_of_packages(asked: "Checkout", form: str, lines: list[str]) -> None:
    """The graph has every package and every edge; what only tests need is a weaker line."""
    ended = asked.invoke("graph", "--format", form)
    assert (ended.code, ended.out.splitlines()) == (0, lines), ended.text


def test_drawn_graph_marks_what_changes_affect(asked: "Checkout") -> None:
    """As SVG the graph has a box for each package and a line for each edge, and the causes."""
    ended = asked.invoke("graph", "--format", "svg")
    assert ended.code == 0, ended.text
    drawn = ElementTree.fromstring(ended.out)  # noqa: S314  our own
    named = "{http://www.w3.org/2000/svg}"
    boxes = drawn.findall(f".//{named}g[{named}rect]")
    titles = {box.findtext(f"{named}text"): box.findtext(f"{named}title") for box in boxes}
    assert titles == {
        "alpha": "alpha: not affected",
        "beta": f"beta: affected\n{EDITED} changed",
        "gamma": f"gamma: affected\n{NEW} changed",
    }
    kinds = {box.findtext(f"{named}text"): box.get("class") for box in boxes}
    assert kinds == {"alpha": "node plain", "beta": "node affected", "gamma": "node affected"}
    lines = [line.get("class") for line in drawn.iter(f"{named}path")]
    assert (lines.count("edge"), lines.count("edge weak")) == (1, 1)
    only = asked.invoke("graph", "--format", "svg", "--since", "HEAD")
    assert "1 of 3 packages affected (bold) since " in only.out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["explain", "beta:units"], 2, "there is no task `beta:units`; did you mean `beta:unit`?"),
        (["graph", "--format", "mermai"], 2, "no format `mermai`; did you mean `mermaid`?"),
        (["graph", "--since", "HEAD"], 2, "`mermaid` does not tell of changes"),
        (["plan", "--", "alpa"], 2, "there is no package `alpa`; did you mean `alpha`?"),
        (["affected", "--", "alpha", "--", "-x"], 2, "a question has no tool to hand words to"),
        (["affected", "--since", "nowhere"], 11, "there is no commit `nowhere`"),
    ],
)
def test_mistakes_are_told_with_their_exit_code(
    asked: "Checkout", words: list[str], code: int, message: str
) -> None:
    """What does not exist is one error with the word that was meant, and nothing is printed."""
    ended = asked.invoke(*words)
    assert (ended.code, ended.out) == (code, ""), ended.text
    assert message in ended.err
    assert ended.err.count("error[") == 1
    assert "Traceback" not in ended.err


def test_help_after_the_dashes_explains_the_words(asked: "Checkout") -> None:
    """`--help` after `--` explains packages and options instead of answering."""
    ended = asked.invoke("affected", "--", "--help")
    assert ended.code == 0, ended.text
    assert "--exclude PACKAGE" in ended.out
    assert "base " not in ended.out


def test_reader_that_goes_away_is_no_fault(asked: "Checkout") -> None:
    """A pipe that is closed early, as by `head`, ends the answer without a traceback."""
    running = asked.begin("-m", "invoke", "plan", "--json")
    assert running.child.stdout is not None
    running.child.stdout.close()
    running.child.stdout = None
    ended = running.end()
    assert ended.code == 141
    assert ended.err.strip() == ""
