"""Backups in a store with the S3 API; boto3.

A backup is a directory of the bucket: `ENVIRONMENT/SERVICE/NUMBER-TIME/` with `dump.age`,
`manifest.json`, which is written last and makes it whole, and `proven.json`, where it was proven.
The store is told by MONOYARD_STORE (its address), MONOYARD_BUCKET and AWS's own variables.

Exit statuses of every program that uses a store:
    11   it does not answer
    12   it has no such bucket
    13   it refuses: wrong keys, or keys that may not do this
    14   it is full
    15   it has no such backup
    16   it failed otherwise
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # it has no types of its own
from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]  # likewise
from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]  # likewise
from botocore.config import Config  # type: ignore[import-untyped]  # likewise
from botocore.exceptions import (  # type: ignore[import-untyped]  # likewise
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  its name
    HTTPClientError,
)

from .lines import one_line

SILENT, BUCKETLESS, DENIED, FULL, ABSENT, BROKEN = 11, 12, 13, 14, 15, 16
DUMP, MANIFEST, PROOF = "dump.age", "manifest.json", "proven.json"
_STATUSES = {
    "NoSuchBucket": BUCKETLESS,
    "InvalidBucketName": BUCKETLESS,
    "AccessDenied": DENIED,
    "InvalidAccessKeyId": DENIED,
    "XAdminUserNotFound": DENIED,
    "SignatureDoesNotMatch": DENIED,
    "EntityTooLarge": FULL,
    "QuotaExceeded": FULL,
    "XMinioStorageFull": FULL,
    "InsufficientStorage": FULL,
    "NoSuchKey": ABSENT,
}
_FORBIDDEN, _ABSENT, _FULL = 403, 404, 507
_MEBIBYTE = 1 << 20
_PART_BYTES = 32 * _MEBIBYTE
_MOST_PARTS = 9_000  # of the 10,000 that an object can have
_CONFIG = Config(
    connect_timeout=10,
    read_timeout=120,
    retries={"total_max_attempts": 4, "mode": "standard"},
    s3={"addressing_style": "path"},
    # Stores of other makes refuse what only AWS's knows.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


class StoreError(Exception):
    """The store did not do what it was asked.

    Attributes:
        status: The exit status.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Kept:
    """A backup in the store.

    Attributes:
        key: Its directory.
        manifest: What it says of itself.
        proof: How it was proven; empty where it was not.
    """

    key: str
    manifest: Mapping[str, Any]
    proof: Mapping[str, Any]

    @property
    def taken_at(self) -> str:
        """When it was taken, as RFC 3339 in UTC."""
        return str(self.manifest.get("taken_at") or "")


class Store:
    """A bucket.

    Args:
        address: Of the store, as a URL.
        bucket: Name of the bucket.
    """

    def __init__(self, address: str, bucket: str) -> None:
        self.address, self.bucket = address, bucket
        self._client = boto3.session.Session().client(
            "s3", endpoint_url=address, config=_CONFIG,
            region_name=os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        )  # fmt: skip

    @classmethod
    def of_environment(cls) -> Store:
        """Return the store that the environment names.

        Raises:
            StoreError: It names none, or none that can be one.
        """
        found = [os.environ.get(name, "") for name in ("MONOYARD_STORE", "MONOYARD_BUCKET")]
        if not all(found):
            raise StoreError(BROKEN, "MONOYARD_STORE and MONOYARD_BUCKET name the store")
        try:
            return cls(*found)
        except (BotoCoreError, ValueError) as error:
            raise StoreError(BROKEN, f"{found[0]} is no address of a store: {error}") from error

    def check(self) -> None:
        """See that the bucket is there and can be read, before hours are spent on a dump.

        Raises:
            StoreError: It cannot.
        """
        self._ask("list", lambda: self._client.list_objects_v2(Bucket=self.bucket, MaxKeys=1))

    def put_file(self, key: str, source: Path, told: Mapping[str, Any]) -> None:
        """Put a file, and see that the store has as many bytes.

        Args:
            key: The object.
            source: The file.
            told: Its size and SHA-256, as `Tally` tells them.

        Raises:
            StoreError: It is not there, or not all of it.
        """
        extra = {"Metadata": {"sha256": told["sha256"]}}
        how = _transfer(told["bytes"])
        self._ask(
            f"put {key}",
            lambda: self._client.upload_file(
                str(source), self.bucket, key, ExtraArgs=extra, Config=how
            ),
        )
        self.compare(key, told)

    def compare(self, key: str, told: Mapping[str, Any]) -> None:
        """See that an object is there with all of its bytes.

        Raises:
            StoreError: It is not.
        """
        said = self._ask(
            f"look at {key}", lambda: self._client.head_object(Bucket=self.bucket, Key=key)
        )
        sums = said.get("Metadata", {}).get("sha256", told["sha256"])
        if (said["ContentLength"], sums) != (told["bytes"], told["sha256"]):
            message = f"{key} has {said['ContentLength']} bytes in the store, not {told['bytes']}"
            raise StoreError(BROKEN, f"{message}, or those of another dump")

    def put_json(self, key: str, value: Mapping[str, Any]) -> None:
        """Put a JSON document.

        Raises:
            StoreError: It is not there.
        """
        body = json.dumps(value).encode()
        self._ask(
            f"put {key}",
            lambda: self._client.put_object(Bucket=self.bucket, Key=key, Body=body),
        )

    def get_file(self, key: str, target: Path) -> None:
        """Get an object into a file.

        Raises:
            StoreError: It cannot be had.
        """
        self._ask(
            f"get {key}",
            lambda: self._client.download_file(self.bucket, key, str(target), Config=_transfer(0)),
        )

    def get_json(self, key: str) -> dict[str, Any]:
        """Return a JSON document.

        Raises:
            StoreError: It cannot be had, or is none.
        """
        said = self._ask(
            f"get {key}",
            lambda: bytes(self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()),
        )
        try:
            return dict(json.loads(said))
        except (TypeError, ValueError) as error:
            raise StoreError(BROKEN, f"{key} holds no document: {error}") from error

    def keys(self, prefix: str) -> list[str]:
        """Return the objects whose names begin so.

        Raises:
            StoreError: The store does not say.
        """
        pages = self._client.get_paginator("list_objects_v2")

        def read() -> list[str]:
            found = pages.paginate(Bucket=self.bucket, Prefix=prefix)
            return [item["Key"] for page in found for item in page.get("Contents", ())]

        return list(self._ask("list", read))

    def remove(self, key: str) -> None:
        """Remove an object.

        Raises:
            StoreError: It cannot be removed.
        """
        self._ask(f"remove {key}", lambda: self._client.delete_object(Bucket=self.bucket, Key=key))

    def backups(self, prefix: str) -> Iterator[Kept]:
        """Yield the backups below a prefix that are whole.

        Raises:
            StoreError: The store does not say.
        """
        there = set(self.keys(prefix))
        for name in sorted(there):
            directory, _, file = name.rpartition("/")
            if file == MANIFEST and f"{directory}/{DUMP}" in there:
                proof = f"{directory}/{PROOF}"
                yield Kept(
                    directory, self.get_json(name), self.get_json(proof) if proof in there else {}
                )

    def backup(self, key: str) -> Kept:
        """Return a backup.

        Raises:
            StoreError: There is none of this key, or it is not whole.
        """
        for kept in self.backups(f"{key}/"):
            return kept
        raise StoreError(ABSENT, f"the bucket {self.bucket} has no whole backup {key}")

    def _ask(self, what: str, ask: Callable[[], Any]) -> Any:
        with self._told(what):
            return ask()

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Say in words what boto3 says of a call; its reasons may lie below."""
        refuse = partial(self._refusal, what)
        try:
            yield
        except ClientError as error:
            raise refuse(error) from error
        except (ConnectionError, HTTPClientError) as error:
            raise StoreError(
                SILENT, f"{self.address} does not answer: {one_line(error)}"
            ) from error
        except Boto3Error as error:
            cause = error.__cause__ or error.__context__
            if isinstance(cause, ClientError):
                raise refuse(cause) from error
            raise StoreError(BROKEN, f"cannot {what}: {one_line(error)}") from error
        except (BotoCoreError, OSError) as error:
            raise StoreError(BROKEN, f"cannot {what}: {one_line(error)}") from error

    def _refusal(self, what: str, error: ClientError) -> StoreError:
        said = error.response.get("Error", {})
        code = str(said.get("Code") or "")
        number = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        status = _STATUSES.get(code) or {_FORBIDDEN: DENIED, _ABSENT: ABSENT, _FULL: FULL}.get(
            number, BROKEN
        )
        words = " ".join(str(said.get("Message") or "").split())
        return StoreError(
            status, f"cannot {what} in {self.bucket} of {self.address}: {code} {words}"
        )


def _transfer(size: int) -> TransferConfig:
    part = max(_PART_BYTES, size // _MOST_PARTS)
    return TransferConfig(multipart_threshold=part, multipart_chunksize=part, max_concurrency=2)
