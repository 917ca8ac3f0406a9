"""Sends e-mail and webhooks; every delivery happens at least once."""
