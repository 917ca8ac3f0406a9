"""Elements of HTML and SVG, made so that no text can become markup."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

_CONTROLS: Final = dict.fromkeys(
    code for code in (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
    if code not in {0x09, 0x0A}
)  # fmt: skip


def element(name: str, /, *content: Element | str, **attributes: object) -> Element:
    """Return an element.

    Args:
        name: Its name.
        content: Elements and text, in their order; text stays text, whatever is in it.
        attributes: Underscores become hyphens and one at the end is dropped, as in `class_`.
    """
    named = {key.rstrip("_").replace("_", "-"): plain(str(it)) for key, it in attributes.items()}
    made = Element(name, named)
    last: Element | None = None
    for item in content:
        if isinstance(item, Element):
            made.append(item)
            last = item
        elif last is None:
            made.text = (made.text or "") + plain(item)
        else:
            last.tail = (last.tail or "") + plain(item)
    return made


def plain(text: str) -> str:
    """Drop control characters and what is no character, such as half of a surrogate pair."""
    return text.translate(_CONTROLS)
