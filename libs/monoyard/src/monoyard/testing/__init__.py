"""Public fakes and builders, conformance suites: for the tests of tenants as well as our own."""

from monoyard.testing.capabilities import FakeCapabilities
from monoyard.testing.clocks import FakeClock
from monoyard.testing.clusters import FakeNamespace
from monoyard.testing.releases import FakeReleases

__all__ = ["FakeCapabilities", "FakeClock", "FakeNamespace", "FakeReleases"]
