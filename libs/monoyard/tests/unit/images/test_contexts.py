"""Generated contexts: what is in them, and what is not."""

import gzip
import hashlib
import json
import os
from pathlib import Path

import pytest

from monoyard.errors import ToolError
from monoyard.images import contexts


def write(place: Path, **changed: object) -> Path:
    """Write the context of a service; return its directory."""
    sources = place / "sources"
    sources.mkdir(parents=True)
    wheels = []
    for name in ("b-1-py3-none-any.whl", "a-1-py3-none-any.whl"):
        (sources / name).write_bytes(name.encode())
        wheels.append(sources / name)
    (sources / "requirements.txt").write_text("httpx==1\n", encoding="utf-8")
    (sources / "env.py").write_text("run()\n", encoding="utf-8")
    (sources / "env.py").chmod(0o600)
    directory = contexts.unique_directory(place, "shop", "here")
    settings = {
        "dockerfile": None,
        "requirements": sources / "requirements.txt",
        "wheels": wheels,
        "included": [(sources / "env.py", "migrations/env.py")],
        "entrypoint": ("python3", "-m", "shop"),
        "port": 8000,
        **changed,
    }
    contexts.write_service(directory, **settings)  # type: ignore[arg-type]  # any of them
    return directory


def digests(directory: Path) -> dict[str, str]:
    """Return path to digest of every file, as a run knows them."""
    return {path: digest for path, (_, _, digest) in listing(directory).items()}


def listing(directory: Path) -> dict[str, tuple[int, int, str]]:
    """Return path to mode, time and digest of every file."""
    return {
        path.relative_to(directory).as_posix(): (
            path.stat().st_mode, path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in directory.rglob("*") if path.is_file()
    }  # fmt: skip


def test_context_holds_what_the_image_needs(tmp_path: Path) -> None:
    """There is the Dockerfile, the slice of the lock, the wheels by name, and what was included."""
    directory = write(tmp_path)
    assert sorted(listing(directory)) == [
        "Dockerfile", "finish.py", "include/migrations/env.py", "requirements.txt",
        "wheels/a-1-py3-none-any.whl", "wheels/b-1-py3-none-any.whl", "wheels/requirements.txt",
    ]  # fmt: skip
    named = (directory / "wheels/requirements.txt").read_text("utf-8").split()
    assert named == ["/in/wheels/a-1-py3-none-any.whl", "/in/wheels/b-1-py3-none-any.whl"]
    lines = (directory / "Dockerfile").read_text("utf-8").splitlines()
    entrypoint = json.dumps(["python3", "-m", "shop"])
    assert lines[-3:] == ["ENV PORT=8000", "EXPOSE 8000", f"ENTRYPOINT {entrypoint}"]
    assert not any(line.startswith("# syntax=") for line in lines)


def test_same_content_gives_the_same_context(tmp_path: Path) -> None:
    """Times and modes follow from content: another checkout, another umask, the same files."""
    first = listing(write(tmp_path / "one"))
    before = os.umask(0o077)
    try:
        second = listing(write(tmp_path / "two"))
    finally:
        os.umask(before)
    assert first == second


def test_changed_file_of_the_same_size_has_another_time(tmp_path: Path) -> None:
    """BuildKit compares sizes and times, so equal sizes must not hide a change."""
    first, second = write(tmp_path / "one"), write(tmp_path / "two", port=8001)
    one, two = (listing(place)["Dockerfile"] for place in (first, second))
    assert (first / "Dockerfile").stat().st_size == (second / "Dockerfile").stat().st_size
    assert one[1] != two[1]


def test_directories_of_two_checkouts_have_different_names(tmp_path: Path) -> None:
    """BuildKit takes two directories of one name for the same, so two checkouts share none."""
    one = contexts.unique_directory(tmp_path, "shop", "/first")
    two = contexts.unique_directory(tmp_path, "shop", "/second")
    assert one.name != two.name
    assert one.name.startswith("shop-")
    assert contexts.unique_directory(tmp_path, "shop", "/first") == one


def test_own_dockerfile_is_taken_whole(tmp_path: Path) -> None:
    """A service with a Dockerfile of its own gets that, and nothing is added to it."""
    own = tmp_path / "Dockerfile"
    own.write_text("FROM base AS image\n", encoding="utf-8")
    directory = write(tmp_path / "one", dockerfile=own)
    assert (directory / "Dockerfile").read_text("utf-8") == "FROM base AS image\n"


def test_page_stands_beside_its_compressed_files(tmp_path: Path) -> None:
    """Text is also there compressed, the same bytes each time; pictures and fonts are not."""
    bundle = tmp_path / "dist"
    (bundle / "assets").mkdir(parents=True)
    (bundle / "index.html").write_text("<p>hello</p>", encoding="utf-8")
    (bundle / "assets" / "a.js").write_text("let a = 1", encoding="utf-8")
    (bundle / "assets" / "a.woff2").write_bytes(b"font")
    made = []
    for name in ("one", "two"):
        directory = contexts.unique_directory(tmp_path / name, "page", "here")
        contexts.write_page(
            directory, dockerfile=None, bundle=bundle, files=digests(bundle),
            entrypoint=("nginx",), port=8080, health="/alive",
        )  # fmt: skip
        made.append(listing(directory))
    assert made[0] == made[1]
    assert sorted(made[0]) == [
        "Dockerfile", "etc/nginx/nginx.conf", "www/assets/a.js", "www/assets/a.js.gz",
        "www/assets/a.woff2", "www/index.html", "www/index.html.gz",
    ]  # fmt: skip
    packed = next((tmp_path / "one").rglob("a.js.gz")).read_bytes()
    assert gzip.decompress(packed) == b"let a = 1"
    settings = next((tmp_path / "one").rglob("nginx.conf")).read_text("utf-8")
    assert "listen 8080;" in settings
    assert "location = /alive {" in settings
    assert "@" not in settings


def test_page_has_what_its_build_left_and_nothing_else(tmp_path: Path) -> None:
    """A file that came since is no part of the image; one that changed or went is an error."""
    bundle = tmp_path / "dist"
    bundle.mkdir()
    (bundle / "index.html").write_text("<p>hello</p>", encoding="utf-8")
    left = digests(bundle)

    def write_page() -> Path:
        directory = contexts.unique_directory(tmp_path, "page", "here")
        contexts.write_page(
            directory, dockerfile=None, bundle=bundle, files=left, entrypoint=("nginx",), port=1,
            health="/h",
        )  # fmt: skip
        return directory

    (bundle / "late.txt").write_text("late", encoding="utf-8")
    assert "www/late.txt" not in listing(write_page())
    (bundle / "index.html").write_text("<p>half", encoding="utf-8")
    with pytest.raises(ToolError, match="has another content: something wrote there") as raised:
        write_page()
    assert raised.value.code == "outputs-changed"
    (bundle / "index.html").unlink()
    with pytest.raises(ToolError, match="is gone"):
        write_page()


def test_page_is_never_taken_for_an_older_one(tmp_path: Path) -> None:
    """Times of all builds are equal, so the server may not compare them."""
    bundle = tmp_path / "dist"
    bundle.mkdir()
    directory = contexts.unique_directory(tmp_path, "page", "here")
    contexts.write_page(
        directory, dockerfile=None, bundle=bundle, files={}, entrypoint=("nginx",), port=1,
        health="/h",
    )  # fmt: skip
    settings = (directory / "etc" / "nginx" / "nginx.conf").read_text("utf-8")
    assert "etag off;" in settings
    assert "if_modified_since off;" in settings
