"""What was deployed, read from where the ledger is mirrored to: no cluster is asked."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.announcing import announce
from monoyard.bindings.charting import find_environments
from monoyard.bindings.delivering import named_environment
from monoyard.bindings.engine import Engine
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.delivery import Record
from monoyard.deployment import DIRECTORY, record_of
from monoyard.errors import DeliveryError, MachineError, UsageError
from monoyard.migrations import SCRIPTS
from monoyard.process import PROXIES, Command, capture, clean

STORE: Final = "store"
"""What stands for the environment's store, instead of files."""
_SECONDS: Final = 120.0
_VARIABLES: Final = ("AWS_*", "MONOYARD_BUCKET", "MONOYARD_STORE", "SSL_CERT_FILE", *PROXIES)


def read_mirror(directory: Path, name: str, source: str) -> list[Record]:
    """Return the deployments of an environment, the newest first.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        source: `store`, or a file or directory that was fetched from there.

    Raises:
        DeliveryError: The store does not say.
        MachineError: What reads the store is not installed here.
        UsageError: There is no such environment, or the files hold no records of it.
    """
    engine = Engine(directory, announce)
    settings = named_environment(find_environments(engine.repository.top, engine.settings), name)
    said = _of_store(settings) if source == STORE else _of_files(Path(source))
    try:
        found = [record_of(item) for item in said]
    except ValueError as error:
        raise UsageError(f"{source} holds something else than records: {error}") from error
    if not found:
        raise DeliveryError(
            f"{source} has no records of `{name}`", code="no-mirror",
            hint="MONOYARD_BUCKET names another bucket; `invoke history` without `--from` asks the "
            "cluster",
        )  # fmt: skip
    # Numbers begin anew where a ledger was removed.
    return sorted(found, key=lambda item: (str(item.header.get("at")), item.number), reverse=True)


def _of_files(place: Path) -> Iterator[Mapping[str, Any]]:
    files = sorted(place.glob("*.json")) if place.is_dir() else [place]
    if not files:
        raise UsageError(f"{place} has no file `*.json`")
    for file in files:
        try:
            yield json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{file} is no record of a deployment", context=(str(error),),
                hint=f"`--from {STORE}` asks the store; docs/how-to/back-up-a-database.md says how "
                "its files are fetched",
            ) from error  # fmt: skip


def _of_store(settings: EnvironmentSettings) -> Iterable[Mapping[str, Any]]:
    if importlib.util.find_spec("boto3") is None:
        raise MachineError(
            "boto3 is not installed here, which asks stores", code="program-missing",
            hint="`pip install 'monoyard[backups]'`; or fetch its files otherwise: `--from DIR`",
        )  # fmt: skip
    store = settings.data.store
    environment = clean(_VARIABLES, os.environ)
    if store is not None:
        named = {"MONOYARD_STORE": store.endpoint, "MONOYARD_BUCKET": store.bucket,
                 "AWS_DEFAULT_REGION": store.region}  # fmt: skip
        environment = {**named, **environment}
    prefix = f"{settings.name}/{DIRECTORY}/"
    argv = (sys.executable, "-B", str(SCRIPTS), "records", "--prefix", prefix)
    done = capture(Command(argv, Path("/"), environment, timeout=_SECONDS, dies_with_parent=True))
    events = [json.loads(line) for line in done.text.splitlines() if line.startswith("{")]
    if done.status == 0:
        return [event["record"] for event in events if event["event"] == "record"]
    failed: Mapping[str, Any] = next((item for item in events if item["event"] == "failed"), {})
    raise DeliveryError(
        f"the store does not give the records of `{settings.name}`",
        code="no-mirror",
        context=(str(failed.get("message")),) if failed else done.last_lines,
        hint="MONOYARD_STORE is its address from here, MONOYARD_BUCKET its bucket; "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are keys that you kept elsewhere",
    )
