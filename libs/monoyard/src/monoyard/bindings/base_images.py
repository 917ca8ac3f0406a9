"""Base images in the registry: signed as all others, for builders that do not have them yet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.bindings.engine import Engine
from monoyard.bindings.parallel import each
from monoyard.bindings.supplying import Supplying
from monoyard.errors import MonoyardError
from monoyard.images import Base, ImageWork, base_entries, base_key, bases_of, kept_base
from monoyard.plan import Entries, Manifest, Plan
from monoyard.supply import Built, Published, Publisher, Wanted, describe

_PREFIX: Final = "base-"


@dataclass(frozen=True, slots=True)
class BaseImages:
    """The base images of a plan, and those of them that the registry has.

    Attributes:
        wanted: Each base with what it is in the registry.
        there: Key of a base to the image of it that is trusted, by digest.
    """

    wanted: tuple[tuple[Base, Wanted], ...]
    there: Mapping[str, str]

    @classmethod
    def find(cls, plan: Plan, publisher: Publisher, supply: Supplying) -> BaseImages:
        """Look for the bases of the selected images; upstream images are where they are.

        Raises:
            RegistryError: The registry does not say.
        """
        works = (planned.task.work for planned in plan.selected)
        bases = bases_of(work for work in works if isinstance(work, ImageWork))
        wanted = tuple((base, _wanted(base)) for base in bases)
        found = each(publisher.find, [item for _, item in wanted])
        there = {
            base_key(base): supply.registry.reference(item.name, digest)
            for (base, item), (digest, accepted, _) in zip(wanted, found, strict=True)
            if accepted is not None
        }
        return cls(wanted, there)

    def publish(
        self, engine: Engine, publisher: Publisher, scratch: Path
    ) -> Iterable[Published | MonoyardError]:
        """Publish those that were made on this machine and are not there yet.

        One that was made nowhere here is left out: no image of this run needed it.
        """
        for base, wanted in self.wanted:
            layout = kept_base(base, engine.kept / "images")
            if base_key(base) in self.there or layout is None:
                continue
            engine.announce(f"publishing {wanted.name}")
            place = scratch / wanted.name
            place.mkdir()
            try:
                sbom = describe(engine.tools.ensure("syft"), layout, wanted.name, place)
                built = Built(layout, (layout.path / "index.json").stat().st_mtime, sbom)
                yield publisher.publish(wanted, built, "the registry does not have it")
            except MonoyardError as error:
                yield error


def _wanted(base: Base) -> Wanted:
    entries: Entries = tuple(base_entries(base))
    digest = hashlib.sha256(repr(entries).encode()).hexdigest()
    key = hashlib.sha256(f"base {base_key(base)}".encode()).hexdigest()
    manifest = Manifest(key, {"packages": digest}, lambda _part: entries)
    return Wanted(f"{_PREFIX}{base.name}", manifest, f"debian {base.release}")
