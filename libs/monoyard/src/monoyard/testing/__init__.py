"""Public fakes and builders, conformance suites: for the tests of tenants as well as our own."""
