"""Supply: from layouts on this machine to images in a registry that an environment accepts.

`Publisher` pushes by digest, attests, signs, verifies, and only then tags. `Trust` says whether an
environment accepts what is there. Nothing of this is imported on the planning path.
"""

from monoyard.supply.origin import Origin, find_origin
from monoyard.supply.publishing import Built, Published, Publisher, Wanted, content_tag, key_of_tag
from monoyard.supply.registry import Registry, is_commit
from monoyard.supply.signing import KEYLESS, Signatures, own_identity
from monoyard.supply.trust import Accepted, Expected, Trust

__all__ = [
    "KEYLESS",
    "Accepted",
    "Built",
    "Expected",
    "Origin",
    "Published",
    "Publisher",
    "Registry",
    "Signatures",
    "Trust",
    "Wanted",
    "content_tag",
    "find_origin",
    "is_commit",
    "key_of_tag",
    "own_identity",
]
