"""The building process: `python -m monoyard.images.building ORDER`.

Wheels, contexts and base images first, then one bake of everything, then a trial of what came out.
It is a process of its own, so that the run supervises, bounds and stops it as any other.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from monoyard.errors import MachineError, MonoyardError, ToolError
from monoyard.images.base_layouts import BaseLayouts, reference
from monoyard.images.builder import Builder
from monoyard.images.buildkit import buildkit
from monoyard.images.contexts import unique_directory, write_page, write_service
from monoyard.images.engine import engine_host
from monoyard.images.index_secrets import index_secrets
from monoyard.images.layouts import Layout
from monoyard.images.machine_faults import explain_system_error
from monoyard.images.order import BUILDER_STATE, EPOCH, Made, Order, write_made
from monoyard.images.pulls import serve
from monoyard.images.trial import Trial, Trials, engine, trial_name
from monoyard.images.wheels import Wheels
from monoyard.images.work import Base, ImageWork
from monoyard.install import OutputLocks
from monoyard.tools.buildx import Target


def main(arguments: Sequence[str]) -> int:
    """Do what an order says; what became of each image is written beside it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    order = Order.read(Path(arguments[0]))
    building = Building(order)
    try:
        building.run()
    except MonoyardError as error:
        building.give_up(error)
    except OSError as error:  # a full disk, a directory that may not be written
        building.give_up(explain_system_error(error, Path(order.kept)))
    write_made(Path(order.scratch) / "made.json", building.made, building.notes)
    return 1 if any(item.problem for item in building.made.values()) else 0


class Building:
    """Makes the images of an order.

    Attributes:
        made: What became of each image so far.
        notes: What a person should know, although it fails nothing.
    """

    def __init__(self, order: Order) -> None:
        self.made: dict[str, Made] = {}
        self._order = order
        self._top = Path(order.top)
        self._layouts = Path(order.scratch) / "layouts"
        # What only the building needs; it may hold the address of a private index.
        self._work = Path(order.kept) / "work"
        self.notes: tuple[str, ...] = ()

    def run(self) -> None:
        """Make wheels, contexts and images; try the images.

        Raises:
            MonoyardError: Something failed that is no single image's fault.
        """
        _say("starting BuildKit")
        state = Path(self._order.kept) / BUILDER_STATE
        hosts = self._hosts()
        with buildkit(Path(self._order.buildkitd), state, hosts) as daemon, self._emptied():
            log = Path(self._order.log)
            builder = Builder(Path(self._order.buildx), daemon, self._work, log)
            kept = Path(self._order.kept)
            bases = BaseLayouts(kept, builder, self._context, self._order.published)
            _say("building wheels")
            wheels = self._wheels()
            _say("writing contexts")
            targets = self._targets(wheels, bases)
            _say("building images")
            self.made.update(builder.bake(targets))
            self.notes = builder.notes
        built = [target.name for target in targets if target.name not in self.made]
        layouts = {name: Layout(self._layouts / name) for name in built}
        _say("trying images")
        self._try(layouts)
        _say("done")

    def give_up(self, error: MonoyardError) -> None:
        """Say why there is nothing of the images that are not decided yet."""
        for image in self._order.images:
            self.made.setdefault(image.package, Made.of(error))

    @contextlib.contextmanager
    def _emptied(self) -> Iterator[None]:
        """Have an empty directory to work in, which nobody else uses while the builder is ours."""
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True, mode=0o700)
        try:
            yield
        finally:
            shutil.rmtree(self._work, ignore_errors=True)

    def _wheels(self) -> dict[str, Path]:
        """Build the wheels; one that cannot be built fails the images that need it."""
        built = Wheels(self._order, self._work).build()
        for image in self._order.images:
            for name in image.sources:
                if isinstance(found := built[name], Made):
                    self.made[image.package] = found
        return {name: found for name, found in built.items() if isinstance(found, Path)}

    def _hosts(self) -> tuple[str, ...]:
        """Return the registries that BuildKit may ask."""
        order = self._order
        bases = [base for image in order.images for base in (image.base, image.build_base) if base]
        named = [base.image for base in bases] + [*order.published.values()]
        named += [order.cache.address] if order.cache else []
        return tuple(dict.fromkeys(name.partition("/")[0] for name in named if name))

    def _targets(self, wheels: Mapping[str, Path], bases: BaseLayouts) -> list[Target]:
        """Write the contexts; return what is to be built of them."""
        uv = reference(bases.uv(Path(self._order.uv)))
        secrets = index_secrets(self._work)
        cache = self._order.cache
        known: dict[Base, str] = {}
        targets = []
        for image in self._order.images:
            page = self._page(image)
            if image.bundle and not page:
                said = f"`{image.bundle}` is not there: `build` has to leave the page in it"
                self.made[image.package] = Made(problem=said)
            if image.package in self.made:
                continue
            build_base = image.build_base or image.base
            for base in (image.base, build_base):
                if base not in known:
                    known[base] = bases.context(base)
            context = self._context(image.package)
            own = self._top / image.dockerfile if image.dockerfile else None
            if image.bundle:
                try:
                    with OutputLocks(Path(self._order.state)).reading(image.package):
                        write_page(
                            context,
                            dockerfile=own,
                            bundle=self._top / image.bundle,
                            files=page,
                            entrypoint=image.entrypoint,
                            port=image.port,
                            health=image.health,
                        )
                except ToolError as error:
                    self.made[image.package] = Made.of(error)
                    continue
            else:
                write_service(
                    context,
                    dockerfile=own,
                    requirements=self._top / image.requirements,
                    wheels=[wheels[name] for name in image.sources],
                    included=[(self._top / path, inner) for path, inner in image.included],
                    entrypoint=image.entrypoint,
                    port=image.port,
                    compiles=image.build_base is not None,
                )
            target = Target(
                name=image.package,
                context=context,
                dockerfile=context / "Dockerfile",
                stage="image",
                contexts={
                    "base": known[image.base],
                    "build": known[build_base],
                    "uv": uv,
                },
                args={"SOURCE_DATE_EPOCH": EPOCH},
                secrets=secrets,
                output=self._layouts / image.package,
                is_timeless=own is None,
                cache_from=cache.sources(image.package) if cache else (),
                cache_to=cache.target(image.package) if cache else "",
            )
            targets.append(target)
        return targets

    def _page(self, image: ImageWork) -> dict[str, str]:
        """Return the files of a page that its `build` left, as path from the bundle to digest."""
        left = self._order.pages.get(image.package, {})
        inside = f"{PurePosixPath(image.bundle).name}/"
        return {
            name.removeprefix(inside): digest
            for name, digest in left.items()
            if name.startswith(inside)
        }

    def _context(self, name: str) -> Path:
        """Return an empty directory for a context; its name is that of no other checkout's."""
        return unique_directory(self._work / "contexts", name, self._order.top)

    def _try(self, layouts: Mapping[str, Layout]) -> None:
        if not layouts:
            return
        trials = Trials(engine(), engine_host(os.environ))
        trials.remove_abandoned()
        served = {trial_name(name): layout for name, layout in layouts.items()}
        with serve(served) as address, ThreadPoolExecutor(os.cpu_count()) as pool:

            def judge(image: ImageWork) -> Made:
                layout = layouts[image.package]
                reference = f"{address}/{trial_name(image.package)}@{layout.digest}"
                trial = Trial(
                    reference, layout, image.port, image.health, image.environment,
                    image.health_command,
                )  # fmt: skip
                try:
                    problem = _user_problem(layout) or trials.run(trial)
                except MachineError as error:
                    return Made.of(error)
                first, _, rest = problem.partition("\n")
                return Made(layout.digest, layout.size, first, rest)

            built = [image for image in self._order.images if image.package in layouts]
            try:
                for image, made in zip(built, pool.map(judge, built), strict=True):
                    self.made[image.package] = made
            except BaseException:
                trials.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _say(words: str) -> None:
    """Leave a line in the task's output: where the time goes."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()


def _user_problem(layout: Layout) -> str:
    """Say whether a cluster that demands a numeric user would refuse the image."""
    user = str(layout.configuration.get("config", {}).get("User", ""))
    number = user.partition(":")[0]
    if number.isdigit() and int(number):
        return ""
    return f"its user is `{user}`, not a number other than 0"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
