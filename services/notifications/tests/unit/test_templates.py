"""Letters from templates."""

import pytest

from eventflow_notifications.templates import MissingValueError, Templates, UnknownTemplateError

VALUES: dict[str, dict[str, str | int]] = {
    "order-placed": {"order_id": "o-1", "total": "12.00 EUR"},
    "payment-failed": {"order_id": "o-1", "amount": "12.00 EUR", "reason": "card expired"},
    "user-registered": {"plan": "team"},
}


@pytest.fixture
def templates() -> Templates:
    """Return the package's templates."""
    return Templates()


def test_every_template_is_listed_here(templates: Templates) -> None:
    """No template is left out of these tests."""
    assert templates.names() == tuple(sorted(VALUES))


@pytest.mark.parametrize("name", VALUES)
def test_each_template_fills_all_three_texts(templates: Templates, name: str) -> None:
    """A template needs no other values than its own, and shows each of them in both bodies."""
    rendered = templates.render(name, VALUES[name])
    assert rendered.subject
    for value in VALUES[name].values():
        assert str(value) in rendered.text
        assert str(value) in rendered.html


@pytest.mark.parametrize("name", VALUES)
def test_a_missing_value_is_an_error(templates: Templates, name: str) -> None:
    """A letter never goes out with a hole in it."""
    for missing in VALUES[name]:
        values = {key: value for key, value in VALUES[name].items() if key != missing}
        with pytest.raises(MissingValueError, match=missing):
            templates.render(name, values)


def test_values_cannot_add_markup(templates: Templates) -> None:
    """What a caller gives is text in the HTML body, and is left as it is in the plain one."""
    script = "<script>alert('x') & more</script>"
    rendered = templates.render("payment-failed", VALUES["payment-failed"] | {"reason": script})
    assert "&lt;script&gt;alert(&#39;x&#39;) &amp; more&lt;/script&gt;" in rendered.html
    assert "<script>" not in rendered.html
    assert script in rendered.text


def test_values_are_not_templates(templates: Templates) -> None:
    """Braces in a value are shown, not run."""
    rendered = templates.render("user-registered", {"plan": "{{ 7 * 7 }}"})
    assert "{{ 7 * 7 }}" in rendered.text


def test_a_subject_is_one_line(templates: Templates) -> None:
    """A line break in a value cannot begin another header."""
    values = VALUES["order-placed"] | {"order_id": "o-1\r\nBcc: eve@example.org"}
    assert templates.render("order-placed", values).subject == "Your order o-1 Bcc: eve@example.org"


@pytest.mark.parametrize("name", ["none", "../signature", "order-placed.txt", ""])
def test_only_templates_are_rendered(templates: Templates, name: str) -> None:
    """A name that is no template's is refused, wherever it might lead."""
    with pytest.raises(UnknownTemplateError):
        templates.render(name, {})
