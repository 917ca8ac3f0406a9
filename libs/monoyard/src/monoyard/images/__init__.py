"""Images: from the plan's tasks to OCI layouts that were tried.

`ImageSource` makes the tasks, `ImageExecutor` executes them: all images of a run in one process
that makes contexts and base images, calls one bake, and tries what came out in a container engine.
"""

from monoyard.images.base_layouts import base_key, bases_of, kept_base
from monoyard.images.bases import base_entries
from monoyard.images.debian import DebianLock, resolve, root_of
from monoyard.images.engine import engine_problem
from monoyard.images.executor import ImageExecutor
from monoyard.images.index_secrets import index_secrets
from monoyard.images.layer_cache import LayerCache, find_layer_cache
from monoyard.images.layouts import Layout
from monoyard.images.source import ImageSource, required
from monoyard.images.work import Base, ImageWork

__all__ = [
    "Base",
    "DebianLock",
    "ImageExecutor",
    "ImageSource",
    "ImageWork",
    "LayerCache",
    "Layout",
    "base_entries",
    "base_key",
    "bases_of",
    "engine_problem",
    "find_layer_cache",
    "index_secrets",
    "kept_base",
    "required",
    "resolve",
    "root_of",
]
