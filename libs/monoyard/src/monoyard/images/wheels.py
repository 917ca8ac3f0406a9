"""Builds the wheels of workspace packages, each once, from nothing but what its key covers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from monoyard.errors import ToolError
from monoyard.images.machine_faults import refuse_full_disk
from monoyard.images.order import EPOCH, Made, Order
from monoyard.install import installer_environment
from monoyard.process import Command, capture


@dataclass(frozen=True, slots=True)
class Wheels:
    """The wheels that an order asks for.

    Attributes:
        order: The order.
        work: An empty directory.
    """

    order: Order
    work: Path

    def build(self) -> dict[str, Path | Made]:
        """Return the wheel of every package, or why there is none."""
        sources: dict[str, tuple[str, ...]] = {}
        directories: dict[str, str] = {}
        for image in self.order.images:
            sources.update(image.sources)
            directories.update(image.directories)

        def build(name: str) -> Path | Made:
            try:
                return self._build(name, sources[name], directories[name])
            except ToolError as error:
                return Made(problem=error.message, log="\n".join(error.context))

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(sources, pool.map(build, sources), strict=True))

    def _build(self, name: str, sources: Sequence[str], directory: str) -> Path:
        copy = self.work / "sources" / name
        for path in sources:
            target = copy / Path(path).relative_to(directory)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(self.order.top) / path, target)
        place = self.work / "wheels" / name
        isolation = () if self.order.is_isolated else ("--no-build-isolation", "--offline")
        argv = (
            self.order.uv, "build", "--wheel", "--no-config", "--quiet", *isolation,
            f"--python={self.order.python}", f"--out-dir={place}", ".",
        )  # fmt: skip
        environment = installer_environment() | {"SOURCE_DATE_EPOCH": EPOCH}
        done = capture(Command(argv, copy, environment, timeout=600.0))
        if done.status:
            refuse_full_disk(done.stderr.decode("utf-8", "replace"), self.work)
            raise ToolError(f"the wheel of {name} cannot be built", context=done.last_lines)
        wheel = next(place.glob("*.whl"))
        if not wheel.name.endswith("-none-any.whl"):
            raise ToolError(
                f"the wheel of {name} has compiled parts of this machine",
                context=(wheel.name,),
                hint="build it as a package of its own, and lock it",
            )
        return wheel
