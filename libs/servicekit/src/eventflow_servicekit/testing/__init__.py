"""For the tests of services: OpenAPI rules, breaking changes, and what consumers expect.

Some modules need packages that only a service's `test` group names.
"""
