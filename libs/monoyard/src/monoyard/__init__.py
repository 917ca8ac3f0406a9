"""Monoyard: build and delivery for Python monorepos on nox and invoke."""

__version__ = "0.1.0"
