"""Images made FROM scratch."""

import hashlib
import tarfile
from pathlib import Path

from monoyard.cluster.scratch import Contents, write_layout
from monoyard.images import Layout


def make(place: Path, **more: object) -> Layout:
    """Write an image with one program, as its only file, and read it back."""
    program = place / "program"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    contents = Contents(("/run",), {"/run": program}, {"data": 0o755}, user=7, **more)  # type: ignore[arg-type]
    write_layout(contents, place / "layout")
    return Layout(place / "layout")


def test_an_image_is_its_program(tmp_path: Path) -> None:
    """Entry point, user and files are those that were asked for, and digests fit their bytes."""
    layout = make(tmp_path, environment={"PATH": "/"})
    settings = layout.configuration["config"]
    assert (settings["Entrypoint"], settings["User"]) == (["/run"], "7")
    assert settings["Env"] == ["PATH=/"]
    (layer,) = layout.manifest["layers"]
    data = layout.blob(layer["digest"]).read_bytes()
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" == layer["digest"]
    assert layout.configuration["rootfs"]["diff_ids"] == [layer["digest"]]
    with tarfile.open(layout.blob(layer["digest"])) as tar:
        found = {item.name: (item.mode, item.uid) for item in tar}
    assert found == {"data": (0o755, 7), "run": (0o755, 0)}


def test_equal_contents_make_equal_images(tmp_path: Path) -> None:
    """Neither the time nor the place of what it is made of changes a digest."""
    digests = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        digests.add(make(tmp_path / name).digest)
    assert len(digests) == 1


def test_packages_lie_below(tmp_path: Path) -> None:
    """A root of packages is the first layer as it is, and directories are taken whole."""
    with tarfile.open(tmp_path / "root.tar", "w"):
        pass
    tree = tmp_path / "tree"
    (tree / "lib").mkdir(parents=True)
    (tree / "lib" / "a.so").write_bytes(b"a")
    (tree / "lib" / "b.so").symlink_to("a.so")
    write_layout(Contents(("/x",), {"/usr": tree}, root=tmp_path / "root.tar"), tmp_path / "out")
    below, above = Layout(tmp_path / "out").manifest["layers"]
    data = (tmp_path / "root.tar").read_bytes()
    assert below["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    with tarfile.open(Layout(tmp_path / "out").blob(above["digest"])) as tar:
        assert tar.getnames() == ["usr", "usr/lib", "usr/lib/a.so", "usr/lib/b.so"]
        assert tar.getmember("usr/lib").mode == 0o755
        assert tar.getmember("usr/lib/b.so").linkname == "a.so"
