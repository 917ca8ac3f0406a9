"""The smoke test of a page: it is there, and so is every file that it names.

`python -m eventflow_servicekit.smoke_page` asks `SMOKE_URL`. It stands here because the image of a
page holds no Python; any image of the release with this library can run it.
"""

from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from eventflow_servicekit.smoke import SmokeError, ask, expect, needed, run


class _Names(HTMLParser):
    """Collects the scripts, styles and icons that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        name = {"script": said.get("src"), "link": said.get("href")}.get(tag)
        if name:
            self.found.append(name)


def smoke(environment: Mapping[str, str]) -> None:
    """Fetch the page and what it names; raise SmokeError if anything is missing or empty."""
    url = needed(environment, "SMOKE_URL").rstrip("/") + "/"
    page = expect("the page", ask("GET", url), 200)
    names = _Names()
    names.feed(page.body.decode("utf-8", "replace"))
    own = [
        name for name in names.found if urlsplit(urljoin(url, name)).netloc == urlsplit(url).netloc
    ]
    if not own:
        raise SmokeError("the page names no file of its own")
    for name in own:
        answer = expect(name, ask("GET", urljoin(url, name)), 200)
        if not answer.body:
            raise SmokeError(f"{name}: empty")
        # A page that answers for anything also answers for a file that is not there.
        if answer.body == page.body:
            raise SmokeError(f"{name}: the page itself")


if __name__ == "__main__":
    raise SystemExit(run(smoke))
