"""The building process: `python -m monoyard.images.building ORDER`.

Wheels, contexts and base images first, then one bake of everything, then a trial of what came out.
It is a process of its own, so that the run supervises, bounds and stops it as any other.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from monoyard.errors import MonoyardError, ToolError
from monoyard.images.buildkit import buildkit
from monoyard.images.contexts import (
    base_dockerfile,
    unique_directory,
    write_base,
    write_page,
    write_service,
    write_uv,
)
from monoyard.images.debian import root_of
from monoyard.images.layouts import Layout
from monoyard.images.order import Made, Order, write_made
from monoyard.images.pulls import serve
from monoyard.images.trial import Trial, Trials, engine
from monoyard.images.work import Base, ImageWork
from monoyard.install import exclusive, installer_environment
from monoyard.process import Command, Completed, capture, clean
from monoyard.tools import buildx
from monoyard.tools.buildx import Target

EPOCH: Final = "315619200"
"""Second that wheels and layers carry as their time: the first that a zip can hold is 1980."""

_BUILDER: Final = "monoyard"
_INDEX_VARIABLES: Final = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")


def main(arguments: Sequence[str]) -> int:
    """Do what an order says; what became of each image is written beside it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    order = Order.read(Path(arguments[0]))
    building = Building(order)
    try:
        building.run()
    except MonoyardError as error:
        hint = f" ({error.hint})" if error.hint else ""
        building.give_up(f"{error.message}{hint}", "\n".join(error.context))
    except OSError as error:  # a full disk, a directory that may not be written
        building.give_up(f"cannot make images: {error}")
    write_made(Path(order.scratch) / "made.json", building.made)
    return 1 if any(item.problem for item in building.made.values()) else 0


class Building:
    """Makes the images of an order.

    Attributes:
        made: What became of each image so far.
    """

    def __init__(self, order: Order) -> None:
        self.made: dict[str, Made] = {}
        self._order = order
        self._top = Path(order.top)
        self._layouts = Path(order.scratch) / "layouts"
        self._log = Path(order.scratch) / "bake.log"
        # What only the building needs; it may hold the address of a private index.
        self._work = Path(order.kept) / "work"
        self._buildx = Path(order.buildx)

    def run(self) -> None:
        """Make wheels, contexts and images; try the images.

        Raises:
            MonoyardError: Something failed that is no single image's fault.
        """
        _say("starting BuildKit")
        state = Path(self._order.kept) / "buildkit"
        with buildkit(Path(self._order.buildkitd), state) as address, self._emptied():
            self._call(buildx.create_builder(self._buildx, _BUILDER, address), b"")
            _say("building wheels")
            wheels = self._wheels()
            _say("writing contexts")
            targets = self._targets(wheels)
            _say("building images")
            layouts = self._bake(targets)
        _say("trying images")
        self._try(layouts)
        _say("done")

    def give_up(self, problem: str, log: str = "") -> None:
        """Say why there is nothing of the images that are not decided yet."""
        for image in self._order.images:
            lost = Made(problem=problem, log=log, is_error=True)
            self.made.setdefault(image.package, lost)

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
        """Build the wheel of every package once, from nothing but the files its key covers.

        One that cannot be built fails the images that need it.
        """
        sources: dict[str, tuple[str, ...]] = {}
        directories: dict[str, str] = {}
        for image in self._order.images:
            sources.update(image.sources)
            directories.update(image.directories)

        def build(name: str) -> Path | Made:
            try:
                return self._wheel(name, sources[name], directories[name])
            except ToolError as error:
                return Made(problem=error.message, log="\n".join(error.context))

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            built = dict(zip(sources, pool.map(build, sources), strict=True))
        for image in self._order.images:
            for name in image.sources:
                if isinstance(found := built[name], Made):
                    self.made[image.package] = found
        return {name: found for name, found in built.items() if isinstance(found, Path)}

    def _wheel(self, name: str, sources: Sequence[str], directory: str) -> Path:
        copy = self._work / "sources" / name
        for path in sources:
            target = copy / Path(path).relative_to(directory)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self._top / path, target)
        place = self._work / "wheels" / name
        isolation = () if self._order.is_isolated else ("--no-build-isolation", "--offline")
        argv = (
            self._order.uv, "build", "--wheel", "--no-config", "--quiet", *isolation,
            f"--python={self._order.python}", f"--out-dir={place}", ".",
        )  # fmt: skip
        environment = installer_environment() | {"SOURCE_DATE_EPOCH": EPOCH}
        done = capture(Command(argv, copy, environment, timeout=600.0))
        if done.status:
            raise ToolError(f"the wheel of {name} cannot be built", context=done.last_lines)
        wheel = next(place.glob("*.whl"))
        if not wheel.name.endswith("-none-any.whl"):
            raise ToolError(
                f"the wheel of {name} has compiled parts of this machine",
                context=(wheel.name,),
                hint="build it as a package of its own, and lock it",
            )
        return wheel

    def _targets(self, wheels: Mapping[str, Path]) -> list[Target]:
        """Write the contexts; return what is to be built of them."""
        uv = self._context("uv")
        write_uv(uv, Path(self._order.uv))
        secrets = self._secrets()
        bases: dict[Base, str] = {}
        targets = []
        for image in self._order.images:
            if image.bundle and not (self._top / image.bundle).is_dir():
                said = f"`{image.bundle}` is not there: `build` has to leave the page in it"
                self.made[image.package] = Made(problem=said)
            if image.package in self.made:
                continue
            if image.base not in bases:
                bases[image.base] = self._base(image.base)
            context = self._context(image.package)
            own = self._top / image.dockerfile if image.dockerfile else None
            if image.bundle:
                write_page(
                    context,
                    dockerfile=own,
                    bundle=self._top / image.bundle,
                    entrypoint=image.entrypoint,
                    port=image.port,
                    health=image.health,
                )
            else:
                write_service(
                    context,
                    dockerfile=own,
                    requirements=self._top / image.requirements,
                    wheels=[wheels[name] for name in image.sources],
                    included=[(self._top / path, inner) for path, inner in image.included],
                    entrypoint=image.entrypoint,
                    port=image.port,
                )
            target = Target(
                name=image.package,
                context=context,
                dockerfile=context / "Dockerfile",
                stage="image",
                contexts={"base": bases[image.base], "uv": str(uv)},
                args={"SOURCE_DATE_EPOCH": EPOCH},
                secrets=secrets,
                output=self._layouts / image.package,
            )
            targets.append(target)
        return targets

    def _base(self, base: Base) -> str:
        """Return a base image as a context; one of packages is built once and kept.

        A layout and not a target of the bake: the layers of a base that is an image already are
        taken as they are, where those of a target would be written anew into every image.
        """
        if base.image:
            return f"docker-image://{base.image}"
        kept = Path(self._order.kept)
        root = root_of(base, kept / "roots")
        context = self._context(f"base-{base.name}")
        write_base(context, root)
        made_of = root.name.encode() + base_dockerfile().read_bytes()
        name = hashlib.sha256(made_of).hexdigest()[:32]
        place = kept / "bases" / name
        with exclusive(kept / "bases" / f"{name}.lock"):
            if not (place / "index.json").is_file():
                building = kept / "bases" / f"{name}.new"
                shutil.rmtree(building, ignore_errors=True)
                target = Target(
                    name="base", context=context, dockerfile=context / "Dockerfile", stage="base",
                    contexts={}, args={"SOURCE_DATE_EPOCH": EPOCH}, secrets={}, output=building,
                )  # fmt: skip
                done = self._build((target,))
                if done.status:
                    said = done.stderr.decode("utf-8", "replace")
                    raise ToolError(
                        f"base image `{base.name}` cannot be built",
                        context=tuple(_log(said).splitlines()),
                    )
                building.rename(place)
        return f"oci-layout://{place}@{Layout(place).digest}"

    def _secrets(self) -> dict[str, Path]:
        """Return what the installing steps may read: an index's address, and who vouches for it."""
        environment = installer_environment()
        index = self._work / "uv.toml"
        addresses = [environment[name] for name in _INDEX_VARIABLES if environment.get(name)]
        text = f'[[index]]\nurl = "{addresses[0]}"\ndefault = true\n' if addresses else ""
        index.touch(mode=0o600)
        index.write_text(text, encoding="utf-8")
        certificates = Path(environment.get("SSL_CERT_FILE") or _CERTIFICATES)
        return {"index": index} | ({"certificates": certificates} if certificates.is_file() else {})

    def _bake(self, targets: Sequence[Target]) -> dict[str, Layout]:
        """Build all targets; those that do not fail are built again without those that do."""
        left = list(targets)
        while left:
            done = self._build(left)
            if done.status == 0:
                break
            said = done.stderr.decode("utf-8", "replace")
            failed = {*buildx.failed_targets(said)} & {target.name for target in left}
            for name in failed or {target.name for target in left}:
                self.made[name] = Made(problem=_reason(said), log=_log(said), is_error=not failed)
            left = [target for target in left if target.name not in self.made]
        return {target.name: Layout(self._layouts / target.name) for target in left}

    def _build(self, targets: Sequence[Target]) -> Completed:
        for target in targets:
            if target.output is not None:
                shutil.rmtree(target.output, ignore_errors=True)
        metadata = self._work / "metadata.json"
        names = [target.name for target in targets]
        argv = buildx.bake(self._buildx, _BUILDER, metadata, names)
        done = self._call(argv, buildx.definition(targets))
        with self._log.open("ab") as log:
            log.write(done.stderr)
        return done

    def _call(self, argv: tuple[str, ...], said: bytes) -> Completed:
        own = {"BUILDX_CONFIG": str(self._work / "buildx"), **buildx.ENVIRONMENT}
        environment = clean(("DOCKER_*", "*_PROXY", "*_proxy"), os.environ) | own
        return capture(Command(argv, self._work, environment, stdin=said, dies_with_parent=True))

    def _context(self, name: str) -> Path:
        """Return an empty directory for a context; its name is that of no other checkout's."""
        return unique_directory(self._work / "contexts", name, self._order.top)

    def _try(self, layouts: Mapping[str, Layout]) -> None:
        if not layouts:
            return
        trials = Trials(engine())
        trials.remove_abandoned()
        with serve(layouts) as address, ThreadPoolExecutor(os.cpu_count()) as pool:

            def judge(image: ImageWork) -> Made:
                layout = layouts[image.package]
                reference = f"{address}/{image.package}@{layout.digest}"
                trial = Trial(reference, image.port, image.health, image.environment)
                problem = _user_problem(layout) or trials.run(trial)
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


def _reason(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.startswith("ERROR:")]
    return lines[-1].removeprefix("ERROR:").strip() if lines else "the build failed"


def _log(said: str) -> str:
    """Return what buildx repeats of the step that failed, without what went well."""
    start = said.find("\n------\n")
    return said[start + 1 :] if start >= 0 else "\n".join(said.splitlines()[-40:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
