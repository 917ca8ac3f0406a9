"""Supply: from layouts on this machine to images in a registry that an environment accepts.

`Publisher` pushes by digest, attests, signs, verifies, and only then tags. `Trust` says whether an
environment accepts an image, and `judge` whether it accepts what `Scanners` find. Nothing of this
is imported on the planning path.
"""

from monoyard.supply.dependents import Dependents
from monoyard.supply.gate import Judged, judge
from monoyard.supply.inventory import take_stock, told_at
from monoyard.supply.origin import SBOM, Origin, find_origin
from monoyard.supply.publishing import Built, Published, Publisher, Wanted, content_tag, key_of_tag
from monoyard.supply.registry import Registry, branch_tag, is_commit
from monoyard.supply.retention import Decision, History, Retention, Rules
from monoyard.supply.sbom import describe
from monoyard.supply.scanning import Database, Scanners
from monoyard.supply.signing import KEYLESS, Signatures, own_identity
from monoyard.supply.trust import Accepted, Expected, Trust

__all__ = [
    "KEYLESS",
    "SBOM",
    "Accepted",
    "Built",
    "Database",
    "Decision",
    "Dependents",
    "Expected",
    "History",
    "Judged",
    "Origin",
    "Published",
    "Publisher",
    "Registry",
    "Retention",
    "Rules",
    "Scanners",
    "Signatures",
    "Trust",
    "Wanted",
    "branch_tag",
    "content_tag",
    "describe",
    "find_origin",
    "is_commit",
    "judge",
    "key_of_tag",
    "own_identity",
    "take_stock",
    "told_at",
]
