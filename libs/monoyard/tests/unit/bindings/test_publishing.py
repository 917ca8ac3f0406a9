"""What `nox -s publish` refuses before it looks at anything."""

from pathlib import Path

import pytest

from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.publishing import publish
from monoyard.errors import UsageError


@pytest.mark.parametrize("word", ["--audit", "--audit=fail"])
def test_an_audit_publishes_nothing(word: str, tmp_path: Path) -> None:
    """`publish -- --audit` is one usage error that names what audits the checks."""
    with pytest.raises(UsageError, match="`publish` takes no `--audit`") as caught:
        publish(tmp_path, parse_arguments([word]))
    assert caught.value.hint == "`nox -s ci -- --audit` audits the checks"
