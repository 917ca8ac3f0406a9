"""Receivers and a fake channel for tests, of this service and of those that call it."""
