"""Public fakes and builders, conformance suites: for the tests of tenants as well as our own."""

from monoyard.testing.clocks import FakeClock
from monoyard.testing.clusters import FakeNamespace
from monoyard.testing.releases import FakeReleases

__all__ = ["FakeClock", "FakeNamespace", "FakeReleases"]
