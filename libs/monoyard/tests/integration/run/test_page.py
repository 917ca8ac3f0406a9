"""`--html`: a run as one page, whatever its tests print."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.images import required

if TYPE_CHECKING:
    from .conftest import Checkout

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EVIL = "<script>top.ran = 1</script><img src=x onerror='top.ran = 1'></pre></style>&amp;\x1b[31m"
TEST = f"""\
import pytest


@pytest.mark.parametrize("word", ["<script>alert(1)</script>"])
def test_it(word: str) -> None:
    print({EVIL!r} + "x" * 300)
    pytest.fail({EVIL!r} + word)
"""
# Shows the page in a frame as wide as a phone's screen, and writes what it measures.
PROBE = """\
<!DOCTYPE html><title>probe</title>
<iframe id="frame" src="page.html" style="width: {width}px; height: 800px; border: 0"></iframe>
<script>
document.getElementById("frame").onload = event => {{
  const page = event.target.contentDocument, style = name =>
    event.target.contentWindow.getComputedStyle(page.body)[name];
  const told = {{
    width: page.documentElement.scrollWidth, ran: String(window.ran),
    paper: style("backgroundColor"), ink: style("color"),
    scripts: page.querySelectorAll("script, img, iframe").length,
    sections: [...page.querySelectorAll("section")].map(item => item.id),
    bars: page.querySelectorAll(".timeline rect.critical").length,
    shown: [...page.querySelectorAll("details[open] pre")].some(
      item => item.checkVisibility() && item.innerText.includes("<script>")),
  }};
  const out = document.createElement("output");
  out.textContent = JSON.stringify(told);
  document.body.append(out);
}};
</script>
"""


class Reader(HTMLParser):
    """Notes the elements of a page with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


@pytest.fixture(scope="module")
def made(new_checkout: Callable[[], Checkout], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with a failing test that prints markup, with hits and a change."""
    checkout = new_checkout()
    checkout.package("alpha")
    checkout.package("beta", "alpha")
    checkout.commit()
    assert checkout.nox("lint").code == 0
    checkout.git("checkout", "--quiet", "-b", "work")
    checkout.write("libs/alpha/tests/test_it.py", TEST)
    target = tmp_path_factory.mktemp("page") / "page.html"
    ended = checkout.nox("ci", "--html", str(target))
    assert ended.code == 1, ended.text
    return target


def test_output_of_tests_stays_text(made: Path) -> None:
    """No element and no attribute comes from what a test prints; all of it can be read."""
    reader = Reader()
    reader.feed(made.read_text("utf-8"))
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"script", "img", "iframe", "link", "object", "form"}
    attributes = {name for _, found in reader.elements for name in found}
    assert not {name for name in attributes if name.startswith("on")}
    assert EVIL.replace("\x1b", "") in reader.text
    assert "\x1b" not in reader.text
    assert "test_it[<script>alert(1)</script>]" in reader.text
    (policy,) = (
        found["content"] for tag, found in reader.elements
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    assert policy is not None
    assert policy.startswith("default-src 'none';")


def test_page_needs_nothing_else(made: Path) -> None:
    """Nothing is asked of anybody: every reference is to the page itself."""
    reader = Reader()
    reader.feed(made.read_text("utf-8"))
    named = [found.get("href") or found.get("src") for _, found in reader.elements]
    links = [name for name in named if name]
    assert links
    assert all(name.startswith("#") for name in links)
    ids = {found["id"] for _, found in reader.elements if "id" in found}
    assert {name.removeprefix("#") for name in links} <= ids
    assert "url(" not in made.read_text("utf-8")
    assert "@import" not in made.read_text("utf-8")


def test_page_tells_hits_misses_and_causes(made: Path) -> None:
    """Each task has its result and the reason why it ran, or did not have to."""
    reader = Reader()
    reader.feed(made.read_text("utf-8"))
    assert "hit: nothing it reads differs from its pass of " in reader.text
    assert "miss: changed: libs/alpha/tests/test_it.py" in reader.text
    assert "alpha: affected\nlibs/alpha/tests/test_it.py changed" in reader.text
    assert "again: nox -s unit -- alpha" in reader.text
    assert "the end of the run waited for it" in reader.text


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_browser_shows_the_page(made: Path, width: int, scheme: str) -> None:
    """In a real browser nothing of it runs, and it fits a phone, in light and in dark."""
    told = probe(made, width, scheme)
    assert (told["ran"], told["scripts"], told["shown"]) == ("undefined", 0, True)
    assert told["width"] <= width
    wanted = ["failures", "timeline", "causes", "slowest", "tasks"]
    assert told["sections"] == wanted
    assert told["bars"] >= 1
    paper, ink = ("rgb(255, 255, 255)", "rgb(31, 35, 40)")
    if scheme == "dark":
        paper, ink = ("rgb(13, 17, 23)", "rgb(230, 237, 243)")
    assert (told["paper"], told["ink"]) == (paper, ink)


def probe(page: Path, width: int, scheme: str) -> dict[str, Any]:
    """Return what a browser measures of a page in a frame of that width."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        why = f"there is no browser: none of {', '.join(BROWSERS)} is on PATH"
        if "browser" in required(os.environ):
            pytest.fail(f"MONOYARD_REQUIRE names `browser`, but {why}")
        pytest.skip(why)
    file = page.with_name(f"probe-{width}-{scheme}.html")
    file.write_text(PROBE.format(width=width), encoding="utf-8")
    own = page.with_name(f"profile-{width}-{scheme}")
    done = subprocess.run(
        (
            program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--allow-file-access-from-files", f"--user-data-dir={own}",
            f"--blink-settings=preferredColorScheme={int(scheme == 'light')}",
            "--virtual-time-budget=10000", "--dump-dom", file.as_uri(),
        ),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    before, found, rest = done.stdout.partition("<output>")
    assert found, before + done.stderr
    told: dict[str, Any] = json.loads(rest.partition("</output>")[0].replace("&amp;", "&"))
    return told
