"""Images as archives for `docker load`."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from monoyard.images.archives import write_archive
from monoyard.testing.layouts import write_layout


def test_archive_has_the_bytes_of_the_layout(tmp_path: Path) -> None:
    """What the manifest names is there under its digest, each once, and the image has its tag."""
    layout = write_layout(tmp_path / "layout", "content")
    stream = io.BytesIO()
    write_archive(layout, "trial:1", stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        found = {}
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            found[member.name] = file.read()
    (said,) = json.loads(found.pop("manifest.json"))
    assert said["RepoTags"] == ["trial:1"]
    assert sorted([said["Config"], *said["Layers"]]) == sorted(found)
    for name, data in found.items():
        assert name == f"sha256-{hashlib.sha256(data).hexdigest()}"
    assert said["Config"] == layout.manifest["config"]["digest"].replace(":", "-")
