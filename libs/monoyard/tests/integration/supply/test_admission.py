"""One verdict of everything: origin, and what is known to be wrong with an image today."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.errors import MachineError, MonoyardError, VerificationError
from monoyard.results import Verdict
from monoyard.supply import Admission, Database, Expected, Ruling, Scanners, describe
from monoyard.testing.layouts import write_layout

from .yard import BAD, COMMIT, SOURCE, Desk, key_of, program, wanted, write_database

if TYPE_CHECKING:
    from ..checkouts import Checkout  # noqa: TID252  a folder, not a package

HOUR = 3600.0
STRICT = 'trusts = ["own"]\nfail-at = "high"\nonly-fixable = true\nmax-scan-age = "24h"'
ROOT = f"""
[tool.monoyard.images]
source = "{SOURCE}"
[tool.monoyard.images.bases.python]
packages = ["python3-minimal"]
"""


@pytest.fixture(scope="module")
def sbom(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What an image with an openssl of Debian is made of."""
    place = tmp_path_factory.mktemp("sbom")
    status = "Package: openssl\nVersion: 3.0.22-1\nArchitecture: amd64\n"
    files = {
        "etc/os-release": "ID=debian\nVERSION_ID=12\n",
        "var/lib/dpkg/status.d/openssl": status,
    }
    layout = write_layout(place / "layout", files)
    return describe(program("syft"), layout, "shop", place)


@dataclass
class Gate:
    """A published image, and what environments say of it."""

    desk: Desk
    place: Path
    sbom: Mapping[str, Any]
    digest: str = ""
    tool: Callable[[str], Path] = program

    def database(self, name: str, **mended: str) -> Database:
        """Return a database in which openssl is bad before a version."""
        return Database.find(
            write_database(self.place / name, "Debian", fixed=mended), self.place, self.place
        )

    def scanners(self) -> Scanners:
        """Return scanners."""
        return Scanners(self.place, self.tool)

    def publish(self, *, known: Database | None, sbom: Mapping[str, Any] | None = None) -> str:
        """Publish the image, with findings where there is a database."""
        said = self.sbom if sbom is None else sbom
        found = self.scanners().state_findings(known, "shop", said) if known else None
        built = replace(self.desk.built("one"), sbom=said, findings=found)
        self.digest = self.desk.publisher().publish(wanted("one"), built, "new").digest
        return self.digest

    def examine(
        self, database: Database | None, table: str = STRICT, *, later: float = 0.0, more: str = ""
    ) -> Ruling:
        """Ask an environment about the image."""

        def find() -> Database:
            if database is None:
                raise MachineError("there is no database", code="no-database")
            return database

        admission = Admission(
            self.desk.registry, self.desk.signatures, self.desk.policy(prod=table, more=more),
            self.scanners(), find, clock=lambda: time.time() + later,
        )  # fmt: skip
        reference = self.desk.registry.reference("shop", self.digest)
        expected = Expected("shop", SOURCE, key_of("one"), COMMIT)
        return admission.examine(reference, expected, "prod", reads_bytes=True)


@pytest.fixture
def gate(desk: Desk, tmp_path: Path, sbom: Mapping[str, Any]) -> Gate:
    """A desk with an SBOM to publish."""
    return Gate(desk, tmp_path, sbom)


def verdicts(ruling: Ruling) -> dict[str, str]:
    """Return the verdict of each check."""
    return {check.name: check.verdict.value for check in ruling.checks}


def test_attested_findings_count_while_they_are_young(gate: Gate) -> None:
    """What was attested is judged without a scan; the older it is, the more a scan is needed."""
    gate.publish(known=gate.database("bad"))
    ruling = gate.examine(None)
    assert ruling.verdict is Verdict.FAIL
    assert verdicts(ruling) == {
        "signature": "pass", "identity": "pass", "provenance": "pass", "source": "pass",
        "level": "pass", "bytes": "pass", "scan": "fail",
    }  # fmt: skip
    with pytest.raises(VerificationError) as raised:
        ruling.demand()
    assert raised.value.code == "refused-findings"
    assert "openssl 3.0.22-1" in raised.value.context[0]
    assert "attested at" in ruling.checks[-1].reason
    # Today's policy and today's exceptions decide.
    assert gate.examine(None, 'trusts = ["own"]\nfail-at = "critical"').verdict is Verdict.FAIL
    exception = '[[exceptions]]\nadvisory = "DSA-1-1"\nowner = "a"\nreason = "r"\nexpires = {}\n'
    assert gate.examine(None, more=exception.format("2999-01-01")).verdict is Verdict.PASS
    expired = gate.examine(None, more=exception.format("2020-01-01"))
    assert "the exception expired on 2020-01-01" in expired.findings[0].reason
    assert expired.verdict is Verdict.FAIL
    # A day later nothing is known, and that is an error.
    late = gate.examine(None, later=25 * HOUR)
    assert (late.verdict, verdicts(late)["scan"]) == (Verdict.ERROR, "error")
    with pytest.raises(MachineError) as failed:
        late.demand()
    assert failed.value.code == "no-database"


def test_old_findings_mean_a_scan_of_the_attested_sbom(gate: Gate) -> None:
    """A new scan goes by the database of today, whether that says more or less than before."""
    gate.publish(known=gate.database("bad"))
    mended = gate.database("mended", Debian="3.0.22-1")
    for path in (gate.place / "mended").rglob("all.zip"):
        os.utime(path, (time.time() + 25 * HOUR,) * 2)
    mended = replace(mended, fetched_at=time.time() + 25 * HOUR)
    ruling = gate.examine(mended, later=25 * HOUR)
    assert (ruling.verdict, ruling.findings) == (Verdict.PASS, ())
    assert "by a scan of the attested SBOM now" in ruling.checks[-1].reason
    stale = gate.examine(replace(mended, fetched_at=1.0), later=25 * HOUR)
    assert stale.verdict is Verdict.ERROR
    with pytest.raises(MachineError, match="hours old"):
        stale.demand()


def test_findings_of_an_old_database_are_old(gate: Gate) -> None:
    """A scan of now with advisories of last week is nothing to go by."""
    old = replace(gate.database("old"), fetched_at=time.time() - 7 * 24 * HOUR)
    gate.publish(known=old)
    assert gate.examine(None).verdict is Verdict.ERROR


def test_findings_of_a_stranger_are_not_read(gate: Gate, new_desk: Callable[[str], Desk]) -> None:
    """Only what somebody signed who is trusted spares the scan."""
    gate.publish(known=None)
    stranger = new_desk("stranger")
    stranger.attach_findings(
        gate.digest, gate.scanners().state_findings(gate.database("none"), "shop", gate.sbom)
    )
    assert gate.examine(None).verdict is Verdict.ERROR
    gate.desk.trusts(stranger)
    both = STRICT.replace('["own"]', '["own", "other"]')
    assert gate.examine(None, both).verdict is Verdict.FAIL


def test_scanner_that_crashes_is_an_error(gate: Gate) -> None:
    """Neither a crash nor an SBOM that cannot be scanned is a pass; nobody asked is no pass."""
    gate.publish(known=None)
    known = gate.database("bad")
    crashing = gate.place / "crashing"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n", encoding="utf-8")
    crashing.chmod(0o755)
    gate.tool = lambda _: crashing
    ruling = gate.examine(known)
    assert (ruling.verdict, verdicts(ruling)["scan"]) == (Verdict.ERROR, "error")
    careless = gate.examine(known, 'trusts = ["own"]')
    assert (careless.verdict, verdicts(careless)["scan"]) == (Verdict.PASS, "inconclusive")


def test_nothing_is_asked_of_a_refused_origin(gate: Gate, new_desk: Callable[[str], Desk]) -> None:
    """Where nobody who is trusted says what an image is, what is after that is not asked."""
    gate.publish(known=gate.database("bad"))
    gate.desk.trusts(new_desk("stranger"))
    ruling = gate.examine(None, STRICT.replace("own", "other"))
    assert verdicts(ruling) == {
        "signature": "pass", "identity": "fail", "provenance": "inconclusive",
        "source": "inconclusive", "level": "inconclusive", "scan": "inconclusive",
    }  # fmt: skip
    with pytest.raises(VerificationError) as raised:
        ruling.demand()
    assert raised.value.code == "other-signer"


@pytest.fixture
def checkout(new_checkout: Callable[[], Checkout], gate: Gate) -> Checkout:
    """A repository with the service `shop`, whose policy trusts the desk."""
    made = new_checkout()
    made.root(ROOT)
    made.package("shop", table='[tool.monoyard]\nrole = "service"\n')
    made.write("shop.txt", "")
    made.write("infra/images/debian.lock", 'python = ["python3-minimal 3 amd64 00"]\n')
    shutil.copy(gate.desk.place / "key.pub", made.top / "key.pub")
    made.environment["MONOYARD_REGISTRY"] = gate.desk.registry.address
    made.environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    made.commit()
    return made


def test_verify_asks_the_scan_too(gate: Gate, checkout: Checkout) -> None:
    """`images.verify` refuses what a scan refuses, and an exception counts to its last day."""
    gate.publish(known=gate.database("bad"))
    policy = f'[signers.own]\nkey = "key.pub"\n[environments.prod]\n{STRICT}\n'
    exception = '[[exceptions]]\nadvisory = "DSA-1-1"\nowner = "a"\nreason = "r"\nexpires = {}\n'
    said: dict[str, tuple[int, str, str]] = {}
    for name, more in (
        ("none", ""),
        ("expired", exception.format("2020-01-01")),
        ("open", exception.format("2999-01-01")),
    ):
        checkout.write("infra/images/policy.toml", policy + more)
        ended = checkout.invoke("images.verify", f"shop@{gate.digest}", "--env=prod", "--json")
        (image,) = json.loads(ended.out)["images"]
        reasons = [item["reason"] for item in image["findings"]]
        said[name] = (ended.code, image["verdict"], reasons[0])
    assert (said["none"][:2], said["open"][:2]) == ((32, "fail"), (0, "pass"))
    assert said["expired"][:2] == (32, "fail")
    assert "the exception expired on 2020-01-01" in said["expired"][2]
    assert "accepted by a until 2999-01-01" in said["open"][2]
    ended = checkout.invoke("images.verify", f"shop@{gate.digest}", "--env=prod")
    assert "is accepted by `prod`" in ended.out
    assert "  scan       pass       1 findings, 0 refused, by what was attested at" in ended.out


def test_nightly_scan_fails_for_a_fix_that_the_base_lock_lacks(
    gate: Gate, checkout: Checkout
) -> None:
    """A Debian package of a published image whose mended version is known ends the scan with 1."""
    policy = f'[signers.own]\nkey = "key.pub"\n[environments.prod]\n{STRICT}\n'
    checkout.write("infra/images/policy.toml", policy)
    checkout.commit()
    key = planned_key(checkout)
    built = replace(gate.desk.built("base"), sbom=gate.sbom)
    item = replace(wanted("one"), manifest=replace(wanted("one").manifest, key=key))
    gate.desk.publisher().publish(item, built, "new")
    codes = {}
    for name, version in (("mended", "3.0.22-1"), ("lacking", "3.0.30-1")):
        place = write_database(gate.place / name, *BAD, fixed={"Debian": version, "PyPI": "0.1"})
        words = ("--env", "prod", "--json")
        ended = checkout.nox("scan", *words, env={"MONOYARD_OSV_DATABASE": place})
        found = json.loads(ended.out)
        assert found["errors"] == [], ended.text
        refused = [
            (one["package"], one["fixed"], one["brought_by"])
            for one in found["findings"] if one["is_refused"]
        ]  # fmt: skip
        codes[name] = (ended.code, refused)
    assert codes["mended"] == (0, [])
    assert codes["lacking"] == (1, [("openssl", ["3.0.30-1"], ["base python"])])


def test_python_without_a_lock_is_an_error_with_a_hint(gate: Gate, checkout: Checkout) -> None:
    """Where no lock says which dependencies there are, the scan says how to get one."""
    manifest = (checkout.top / "pyproject.toml").read_text("utf-8")
    checkout.write("pyproject.toml", manifest.replace('lock = "requirements.txt"\n', ""))
    shop = (checkout.top / "libs/shop/pyproject.toml").read_text("utf-8")
    checkout.write("libs/shop/pyproject.toml", shop.replace("= []", '= ["httpx"]'))
    checkout.commit()
    place = write_database(gate.place / "all", *BAD)
    ended = checkout.nox("scan", env={"MONOYARD_OSV_DATABASE": place})
    assert ended.code == 1, ended.text
    assert "Python dependencies: there is no lock that says which they are" in ended.out
    assert "hint: `[tool.monoyard] lock` names it, and `invoke lock` writes it" in ended.out


def planned_key(checkout: Checkout) -> str:
    """Return the key of the service's image, as a refusal to verify it names it."""
    ended = checkout.invoke("images.verify", "shop")
    assert ended.code == 2, ended.text
    return ended.err.partition(":in-")[2][:64]


def test_error_is_not_swallowed(gate: Gate) -> None:
    """A ruling that says nothing at all is no acceptance."""
    with pytest.raises(MonoyardError):
        Ruling("shop@sha256:0", "prod", ()).demand()
    assert gate.digest == ""
