"""syft: lists what an image is made of. Tested with 1.x."""

from __future__ import annotations

from pathlib import Path


def describe_layout(
    program: Path, layout: Path, to: Path, name: str, version: str
) -> tuple[str, ...]:
    """Return the call that writes the SBOM of an OCI layout, as SPDX 2.3 in JSON.

    Args:
        program: syft.
        layout: Directory of the layout.
        to: File to write.
        name: What the SBOM calls the image, instead of the layout's path.
        version: The version it gives it.
    """
    return (
        str(program), "scan", f"oci-dir:{layout}", "--quiet", f"--output=spdx-json={to}",
        f"--source-name={name}", f"--source-version={version}",
    )  # fmt: skip
