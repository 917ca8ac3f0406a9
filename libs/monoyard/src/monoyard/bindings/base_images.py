"""Base images in the registry: signed as all others, for builders that do not have them yet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.bindings.engine import Engine
from monoyard.bindings.parallel import each_or_error
from monoyard.bindings.supplying import Supplying
from monoyard.config import ImagesSettings
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
        missing: Key of each other base to the reason why there is none.
        errors: Why the registry did not say of some whether it has them.
    """

    wanted: tuple[tuple[Base, Wanted], ...]
    there: Mapping[str, str]
    missing: Mapping[str, str]
    errors: tuple[MonoyardError, ...] = ()

    @classmethod
    def find(cls, plan: Plan, publisher: Publisher, supply: Supplying) -> BaseImages:
        """Look for the bases of the selected images; upstream images are where they are."""
        asked = wanted_bases(plan)
        said = each_or_error(publisher.find, [item for _, item in asked])
        wanted, there, missing, errors = [], {}, {}, []
        for (base, item), found in zip(asked, said, strict=True):
            if isinstance(found, MonoyardError):
                errors.append(found)
                continue
            wanted.append((base, item))
            digest, accepted, why = found
            if accepted is None:
                missing[base_key(base)] = why
            else:
                there[base_key(base)] = supply.registry.reference(item.name, digest)
        return cls(tuple(wanted), there, missing, tuple(errors))

    def publish(
        self, engine: Engine, publisher: Publisher, scratch: Path
    ) -> Iterable[Published | MonoyardError]:
        """Publish those that were made on this machine and are not there yet.

        One that was made nowhere here is left out: no image of this run needed it.
        """
        for base, wanted in self.wanted:
            layout = kept_base(base, engine.kept / "images")
            if (reason := self.missing.get(base_key(base))) is None or layout is None:
                continue
            engine.announce(f"publishing {wanted.name}")
            place = scratch / wanted.name
            place.mkdir()
            try:
                sbom = describe(engine.tools.ensure("syft"), layout, wanted.name, place)
                built = Built(layout, (layout.path / "index.json").stat().st_mtime, sbom)
                yield publisher.publish(wanted, built, reason)
            except MonoyardError as error:
                yield error


def wanted_bases(plan: Plan) -> list[tuple[Base, Wanted]]:
    """Return the bases of the selected images, each with what it is in the registry."""
    works = (planned.task.work for planned in plan.selected)
    bases = bases_of(work for work in works if isinstance(work, ImageWork))
    return [(base, _wanted(base)) for base in bases]


def base_names(settings: ImagesSettings) -> list[str]:
    """Return the names that base images have in the registry."""
    return [f"{_PREFIX}{name}" for name, base in settings.bases.items() if base.packages]


def _wanted(base: Base) -> Wanted:
    entries: Entries = tuple(base_entries(base))
    digest = hashlib.sha256(repr(entries).encode()).hexdigest()
    key = hashlib.sha256(f"base {base_key(base)}".encode()).hexdigest()
    manifest = Manifest(key, {"packages": digest}, lambda _part: entries)
    return Wanted(f"{_PREFIX}{base.name}", manifest, f"debian {base.release}")
