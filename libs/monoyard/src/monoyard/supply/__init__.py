"""Supply: from layouts on this machine to images in a registry that an environment accepts.

`Publisher` pushes by digest, attests, signs, verifies, and only then tags. `Trust` says whether an
environment believes where an image comes from, `judge` whether it accepts what `Scanners` find, and
`Admission` both at once: it is what a deployment asks. Nothing of this is imported on the planning
path.
"""

from monoyard.supply.admission import Admission, Check, Ruling
from monoyard.supply.database import Database
from monoyard.supply.dependents import Dependents
from monoyard.supply.gate import Judged, judge
from monoyard.supply.inventory import take_stock, told_at, use_since
from monoyard.supply.moving import BranchLine
from monoyard.supply.origin import SBOM, Origin, find_origin
from monoyard.supply.publishing import Built, Published, Publisher, Wanted, content_tag, key_of_tag
from monoyard.supply.registry import CREDENTIALS, Registry, is_commit
from monoyard.supply.remembering import Remembered
from monoyard.supply.retention import (
    Decision,
    History,
    Image,
    Retention,
    Rules,
    Stock,
    bases_of_kept,
)
from monoyard.supply.sbom import describe
from monoyard.supply.scanning import Scanners
from monoyard.supply.signing import KEYLESS, Signatures, own_identity
from monoyard.supply.trust import Accepted, Expected, Trust

__all__ = [
    "CREDENTIALS",
    "KEYLESS",
    "SBOM",
    "Accepted",
    "Admission",
    "BranchLine",
    "Built",
    "Check",
    "Database",
    "Decision",
    "Dependents",
    "Expected",
    "History",
    "Image",
    "Judged",
    "Origin",
    "Published",
    "Publisher",
    "Registry",
    "Remembered",
    "Retention",
    "Rules",
    "Ruling",
    "Scanners",
    "Signatures",
    "Stock",
    "Trust",
    "Wanted",
    "bases_of_kept",
    "content_tag",
    "describe",
    "find_origin",
    "is_commit",
    "judge",
    "key_of_tag",
    "own_identity",
    "take_stock",
    "told_at",
    "use_since",
]
