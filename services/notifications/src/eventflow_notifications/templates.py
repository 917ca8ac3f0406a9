"""Makes letters from templates: `templates/<name>.subject.txt`, `<name>.txt`, `<name>.html`."""

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import PackageLoader, StrictUndefined, TemplateNotFound, UndefinedError
from jinja2.sandbox import SandboxedEnvironment


class UnknownTemplateError(Exception):
    """There is no template of this name."""


class MissingValueError(Exception):
    """The template needs a value that was not given; the text names it."""


@dataclass(frozen=True)
class Rendered:
    """The texts of a letter; `subject` is one line."""

    subject: str
    text: str
    html: str


class Templates:
    """The templates of this package. Values are escaped in HTML, and only there."""

    def __init__(self) -> None:
        self._environment = SandboxedEnvironment(
            loader=PackageLoader("eventflow_notifications", "templates"),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def names(self) -> tuple[str, ...]:
        """Return the names of all templates, sorted."""
        ending = ".subject.txt"
        files = self._environment.list_templates()
        return tuple(sorted(name.removesuffix(ending) for name in files if name.endswith(ending)))

    def render(self, name: str, values: Mapping[str, str | int]) -> Rendered:
        """Fill template `name`; raise UnknownTemplateError or MissingValueError."""
        if name not in self.names():
            raise UnknownTemplateError(f"there is no template {name}")
        subject = self._fill(f"{name}.subject.txt", values)
        return Rendered(
            # A line break in a header would begin another header.
            subject=" ".join(subject.split()),
            text=self._fill(f"{name}.txt", values),
            html=self._fill(f"{name}.html", values),
        )

    def _fill(self, file: str, values: Mapping[str, str | int]) -> str:
        try:
            return self._environment.get_template(file).render(values)
        except UndefinedError as error:
            raise MissingValueError(error.message or "a value is missing") from None
        except TemplateNotFound as error:
            raise UnknownTemplateError(f"template file {error.name} is missing") from None
