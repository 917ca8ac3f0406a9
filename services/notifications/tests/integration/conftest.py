"""What several tests of the channels share."""

import pytest

from eventflow_notifications.testing.certificates import Certificates, issue


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """Return certificates for hook.example.org and 127.0.0.1."""
    return issue("hook.example.org", "127.0.0.1")
