"""Bytes and results by key, manifests, durations: what need not be done twice.

with Store.open(directory, limit_bytes=5 << 30) as store:
    hits = store.lookup_many(keys)                      # {key: StoredResult}
    store.put(result, {file.digest: path, ...})         # visible with all its bytes, or not
    store.manifests.difference(old, new)                # why a key is another one
    store.history.estimates(workspace)                  # {task: seconds}
    store.memo.get_many("imports", object_ids)          # {key: bytes}
    store.notes                                         # what went wrong, in sentences
"""

from monoyard.cache._blobs import Source
from monoyard.cache._difference import Change, Difference, Entries, Manifest, differences
from monoyard.cache._errors import ArchiveError
from monoyard.cache._history import History, Outcome
from monoyard.cache._manifests import Manifests, part_digest
from monoyard.cache._memo import Memo
from monoyard.cache._rows import TRUSTED
from monoyard.cache._store import Store
from monoyard.cache._values import Eviction, Flaky, Statistics, StoredFile, StoredResult
from monoyard.cache._writer import Item

__all__ = [
    "TRUSTED",
    "ArchiveError",
    "Change",
    "Difference",
    "Entries",
    "Eviction",
    "Flaky",
    "History",
    "Item",
    "Manifest",
    "Manifests",
    "Memo",
    "Outcome",
    "Source",
    "Statistics",
    "Store",
    "StoredFile",
    "StoredResult",
    "differences",
    "part_digest",
]
