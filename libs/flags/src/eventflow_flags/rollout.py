"""Who belongs to the share of callers that a rollout names."""

import hashlib

_BUCKETS = 100_000
_PERCENT = 100


def is_in_share(flag_key: str, targeting_key: str, percentage: float) -> bool:
    """Tell whether a caller belongs to the first `percentage` of callers for a flag.

    The answer depends on nothing but its arguments: it is the same in every process. Raising the
    percentage only adds callers. Two flags choose their callers independently.
    """
    content = f"{flag_key}\x00{targeting_key}".encode("utf-8", "surrogatepass")
    number = int.from_bytes(hashlib.sha256(content).digest()[:8])
    return number % _BUCKETS < percentage / _PERCENT * _BUCKETS
