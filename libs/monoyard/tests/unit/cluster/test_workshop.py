"""How images of the cluster are made of programs and packages, and kept by content."""

import json
from pathlib import Path

import pytest

from monoyard.cluster import PARTS, Place, Workshop, parts
from monoyard.errors import ConfigurationError, ToolError
from monoyard.images import Base

CRANE = """\
#!/bin/sh
echo "$@" >>{log}
[ ! -e {log}.fails ] || {{ echo "connection refused" >&2; exit 1; }}
"""


class FakeTools:
    """Programs that are files, each in a directory that is named by its content."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.version = "1"

    def ensure(self, name: str) -> Path:
        """Return a program."""
        program = self.place / f"{name}-{self.version}" / "bin" / name
        if not name.startswith(("crane", "postgres")):
            program = self.place / f"{name}-{self.version}" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        if not program.exists():
            program.write_text(f"{name} {self.version}", encoding="utf-8")
            program.chmod(0o755)
        return program


@pytest.fixture
def tools(tmp_path: Path) -> FakeTools:
    """Programs of one version, and a crane that notes what it is asked."""
    found = FakeTools(tmp_path / "tools")
    text = CRANE.format(log=tmp_path / "pushed")
    found.ensure("crane").write_text(text, encoding="utf-8")
    return found


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was made of packages or announced; packages are a tar that is there."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "root.tar").write_bytes(b"\0" * 1024)
    monkeypatch.setattr(parts, "root_of", lambda *_: root)
    monkeypatch.setattr(parts, "resolve", lambda base, _: (f"{base.name} 1 all {'0' * 64}",))
    return []


def workshop(tmp_path: Path, tools: FakeTools, said: list[str]) -> Workshop:
    """Return the workshop of a repository without a lock."""
    lock = tmp_path / "infra" / "debian.lock"
    return Workshop(tools, tmp_path / "kept", lock, said.append)  # type: ignore[arg-type]


def test_every_image_is_made_once_and_pushed(
    tmp_path: Path, tools: FakeTools, made: list[str]
) -> None:
    """The second time nothing is made; each is pushed by the name that manifests use."""
    place, shop = Place(tmp_path / "state", 5000), workshop(tmp_path, tools, made)
    programs = shop.programs()
    images = shop.images(place, programs)
    assert set(images) == {part.name for part in PARTS}
    assert images["etcd"] == "127.0.0.1:5000/monoyard-cluster/etcd:v3.6.16"
    pushed = (tmp_path / "pushed").read_text("utf-8").splitlines()
    assert {line.split()[2] for line in pushed} == set(images.values())
    assert all(line.endswith("--insecure") for line in pushed)
    assert "making the image of coredns" in made
    made.clear()
    assert shop.images(place, programs) == images
    assert made == []


def test_another_program_is_another_image(
    tmp_path: Path, tools: FakeTools, made: list[str]
) -> None:
    """A tag says what the image holds, so that a pod is made anew when its program is another."""
    place, shop = Place(tmp_path / "state", 5000), workshop(tmp_path, tools, made)
    before = shop.images(place, shop.programs())
    tools.version = "2"
    tools.ensure("crane").write_text("#!/bin/sh\n", encoding="utf-8")
    after = shop.images(place, shop.programs())
    assert before["coredns"] != after["coredns"]
    assert before["mail"] == after["mail"], "made of packages alone"


def test_packages_are_locked_once(tmp_path: Path, tools: FakeTools, made: list[str]) -> None:
    """The file that names them is written where it lacks some, and then only read."""
    shop = workshop(tmp_path, tools, made)
    shop.images(Place(tmp_path / "state", 5000), shop.programs())
    text = shop.lock.read_text("utf-8")
    assert text.startswith("# What the cluster's images are made of")
    assert {"mail = [", "pause = [", "postgres = ["} <= set(text.splitlines())
    shop.images(Place(tmp_path / "state", 5000), shop.programs())
    assert shop.lock.read_text("utf-8") == text


def test_images_run_their_program_as_their_user(
    tmp_path: Path, tools: FakeTools, made: list[str]
) -> None:
    """An image FROM scratch has its one program as entry point, and a numeric user."""
    shop = workshop(tmp_path, tools, made)
    shop.images(Place(tmp_path / "state", 5000), shop.programs())
    (layout,) = (tmp_path / "kept" / "cluster" / "images").glob("traefik-*[!k]")
    blobs = [path.read_bytes() for path in (layout / "blobs" / "sha256").iterdir()]
    configuration = next(json.loads(data) for data in blobs if b"Entrypoint" in data)["config"]
    assert configuration["Entrypoint"] == ["/traefik"]
    assert configuration["User"] == "65532"


def test_a_registry_that_refuses_is_told(tmp_path: Path, tools: FakeTools, made: list[str]) -> None:
    """The first image that cannot be pushed is one error with the words of crane."""
    (tmp_path / "pushed.fails").touch()
    shop = workshop(tmp_path, tools, made)
    with pytest.raises(ToolError, match="cannot push") as raised:
        shop.images(Place(tmp_path / "state", 5000), shop.programs())
    assert raised.value.context == ("connection refused",)


def test_packages_that_are_gone_are_told_with_the_lock(
    tmp_path: Path, tools: FakeTools, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the archive has another version by now, the hint names the file that says which."""

    def root_of(base: Base, _: Path) -> Path:
        raise ConfigurationError(f"{base.name}: a package is gone")

    monkeypatch.setattr(parts, "root_of", root_of)
    shop = workshop(tmp_path, tools, made)
    with pytest.raises(ConfigurationError) as raised:
        shop.images(Place(tmp_path / "state", 5000), shop.programs())
    assert str(shop.lock) in (raised.value.hint or "")
