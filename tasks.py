"""Tasks of this repository: `invoke --list` lists them, `invoke --help TASK` explains one."""

from pathlib import Path

from monoyard.bindings.invoke import collection

namespace = collection(Path(__file__).parent)
