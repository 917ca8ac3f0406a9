"""Feature flags over OpenFeature, read from a JSON file that may change while services run."""

from eventflow_flags.definitions import Flag, FlagFileError, Rollout, parse_flags
from eventflow_flags.flag_source import FlagSource
from eventflow_flags.provider import FileProvider
from eventflow_flags.rollout import is_in_share

__all__ = [
    "FileProvider",
    "Flag",
    "FlagFileError",
    "FlagSource",
    "Rollout",
    "is_in_share",
    "parse_flags",
]
