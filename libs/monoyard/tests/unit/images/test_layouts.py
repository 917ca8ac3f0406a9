"""OCI layouts, and the registry that hands them out."""

import hashlib
import http.client
import json
from pathlib import Path

import pytest

from monoyard.images.layouts import Layout
from monoyard.images.pulls import serve


def write_blob(place: Path, data: bytes) -> dict[str, object]:
    """Write a blob; return its descriptor."""
    digest = hashlib.sha256(data).hexdigest()
    path = place / "blobs/sha256" / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An image with one layer, and a blob that is not its own."""
    config = write_blob(tmp_path, b'{"config": {"User": "10001:10001"}}')
    layer = write_blob(tmp_path, b"layer")
    write_blob(tmp_path, b"stranger")
    kind = "application/vnd.oci.image.manifest.v1+json"
    text = json.dumps({"mediaType": kind, "config": config, "layers": [layer]})
    index = {"manifests": [{"mediaType": kind, **write_blob(tmp_path, text.encode())}]}
    (tmp_path / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    return Layout(tmp_path)


def test_layout_tells_its_image(layout: Layout) -> None:
    """Digest, size, configuration and the files that belong to the image, and no others."""
    assert layout.configuration["config"]["User"] == "10001:10001"
    assert layout.blob(layout.digest).is_file()
    names = layout.files()
    assert len(names) == 5
    assert all(path.is_file() for path in names.values())
    blobs = [path for name, path in names.items() if name.startswith("blobs/")]
    assert layout.size == sum(path.stat().st_size for path in blobs)


def test_layout_of_several_images_is_refused(layout: Layout) -> None:
    """Which of two images is meant cannot be guessed."""
    index = json.loads((layout.path / "index.json").read_text("utf-8"))
    index["manifests"] *= 2
    (layout.path / "index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(ValueError, match="2 images instead of one"):
        assert Layout(layout.path).digest


def ask(address: str, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """Send a request; return status, headers and body."""
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_pulls_get_the_bytes_of_the_layout(layout: Layout) -> None:
    """Manifest and layers are answered by digest with kind and size; a HEAD has no body."""
    layer = layout.manifest["layers"][0]["digest"]
    with serve({"shop": layout}) as address:
        assert ask(address, "GET", "/v2/")[0] == 200
        status, headers, body = ask(address, "GET", f"/v2/shop/manifests/{layout.digest}")
        assert (status, body) == (200, layout.blob(layout.digest).read_bytes())
        assert headers["Content-Type"] == "application/vnd.oci.image.manifest.v1+json"
        assert headers["Docker-Content-Digest"] == layout.digest
        assert ask(address, "GET", f"/v2/shop/blobs/{layer}")[2] == b"layer"
        status, headers, body = ask(address, "HEAD", f"/v2/shop/blobs/{layer}")
        assert (status, headers["Content-Length"], body) == (200, "5", b"")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/other/manifests/sha256:" + "0" * 64, "/v2/shop/manifests/latest", "/etc/passwd",
        "/v2/shop/blobs/sha256:" + "0" * 64, "/v2/shop/blobs/sha256:../../index.json",
    ],
)  # fmt: skip
def test_nothing_else_is_answered(layout: Layout, path: str) -> None:
    """Other names, tags and paths are not found."""
    with serve({"shop": layout}) as address:
        assert ask(address, "GET", path)[0] == 404
