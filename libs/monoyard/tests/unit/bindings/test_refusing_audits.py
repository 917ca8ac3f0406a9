"""What verbs that run no checks say of `--audit`, before they look at anything."""

from collections.abc import Callable
from pathlib import Path

import pytest

from monoyard.bindings.arguments import Arguments, parse_arguments
from monoyard.bindings.fixing import fix
from monoyard.bindings.publishing import publish
from monoyard.bindings.scanning import scan
from monoyard.errors import UsageError


@pytest.mark.parametrize("word", ["--audit", "--audit=fail"])
@pytest.mark.parametrize("verb", [publish, scan, fix])
def test_audit_is_refused(
    verb: Callable[[Path, Arguments], None], word: str, tmp_path: Path
) -> None:
    """`publish -- --audit` and its like are one usage error that names what audits the checks."""
    with pytest.raises(UsageError, match=f"`{verb.__name__}` takes no `--audit`") as caught:
        verb(tmp_path, parse_arguments([word]))
    assert caught.value.hint == "`nox -s ci -- --audit` audits the checks"
