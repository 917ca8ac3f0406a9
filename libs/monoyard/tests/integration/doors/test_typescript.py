"""A TypeScript package beside Python ones: its npm scripts under the engine's own Node."""

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

# The smallest package that many others need; it needs none itself.
IS_NUMBER = {
    "version": "7.0.0",
    "resolved": "https://registry.npmjs.org/is-number/-/is-number-7.0.0.tgz",
    "integrity": "sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZW"
    "ZUBlbGXYxxng==",
}
SCRIPTS = {
    "lint": "node scripts/lint.mjs",
    "fix": "node scripts/lint.mjs --fix",
    "typecheck": "node --check src/main.mjs",
    "test": "node --test",
    "build": "mkdir -p dist && cp src/main.mjs dist/bundle.mjs",
}
MAIN = 'import isNumber from "is-number";\nexport const answer = () => isNumber("42");\n'
TEST = """\
import assert from "node:assert/strict";
import { test } from "node:test";
import { answer } from "../src/main.mjs";

test("the answer is a number", () => assert.equal(answer(), true));
"""
LINT = """\
import { readFileSync, writeFileSync } from "node:fs";
const [place, fixes] = ["src/main.mjs", process.argv.includes("--fix")];
const text = readFileSync(place, "utf8");
if (fixes) writeFileSync(place, text.replaceAll("var ", "const "));
else if (text.includes("var ")) process.exit(console.error("src/main.mjs: no var") ?? 1);
"""


def write_page(checkout: "Checkout", *, locked: bool = True) -> None:
    """Write a package `page` whose one requirement comes from npm."""
    wanted = {"is-number": "^7.0.0"}
    manifest = {"name": "page", "version": "0.1.0", "private": True, "type": "module"}
    lock = {
        "name": "page", "version": "0.1.0", "lockfileVersion": 3, "requires": True,
        "packages": {
            "": {"name": "page", "version": "0.1.0", "dependencies": wanted},
            "node_modules/is-number": IS_NUMBER,
        },
    }  # fmt: skip
    text = json.dumps({**manifest, "scripts": SCRIPTS, "dependencies": wanted})
    checkout.write("libs/page/package.json", text)
    if locked:
        checkout.write("libs/page/package-lock.json", json.dumps(lock))
    checkout.write("libs/page/src/main.mjs", MAIN)
    checkout.write("libs/page/scripts/lint.mjs", LINT)
    checkout.write("libs/page/tests/main.test.mjs", TEST)


@pytest.fixture
def page(empty: "Checkout") -> "Checkout":
    """A committed repository with the package; git ignores what npm and the build make."""
    write_page(empty)
    empty.write(".gitignore", "__pycache__/\nnode_modules/\ndist/\n")
    empty.commit()
    return empty


def test_scripts_are_suites_and_are_replayed(page: "Checkout") -> None:
    """Lint, types, tests and build run by their usual names, once; the bundle is put back."""
    suites = ("build", "lint", "type", "unit")
    bundle = page.top / "libs/page/dist/bundle.mjs"
    assert page.outcomes("ci") == {f"page:{suite}": "pass" for suite in suites}
    assert bundle.read_text("utf-8") == MAIN
    bundle.unlink()
    assert page.outcomes("ci") == {f"page:{suite}": "cached" for suite in suites}
    assert bundle.read_text("utf-8") == MAIN
    assert page.git("status", "--porcelain") == "", "what was installed is ignored, too"
    page.write("libs/page/tests/main.test.mjs", TEST.replace("true", "false"))
    assert page.outcomes("unit") == {"page:unit": "fail"}
    assert "the answer is a number" in page.result("page:unit")["log"]


def test_package_mends_itself(page: "Checkout") -> None:
    """`nox -s fix` runs the package's own script, after which lint passes."""
    page.write("libs/page/src/main.mjs", MAIN.replace("const", "var"))
    assert page.outcomes("lint") == {"page:lint": "fail"}
    assert "src/main.mjs: no var" in page.result("page:lint")["log"]
    ended = page.nox("fix", "page")
    assert ended.code == 0, ended.text
    assert (page.top / "libs/page/src/main.mjs").read_text("utf-8") == MAIN
    assert page.outcomes("lint") == {"page:lint": "pass"}


def test_package_without_lock_is_skipped_by_name(empty: "Checkout") -> None:
    """Without a lock there is nothing to install from: a named skip, and an error in CI."""
    write_page(empty, locked=False)
    empty.commit()
    ended = empty.nox("unit")
    assert ended.code == 1, "nothing was checked, which is inconclusive"
    reason = "there is no package-lock.json to install from"
    assert f"skipped: page:unit: {reason}" in ended.out
    ended = empty.nox("unit", env={"CI": "true"})
    assert ended.code == 20, ended.text
    assert f"error[skip-in-ci]: CI cannot run page:unit: {reason}" in ended.err
