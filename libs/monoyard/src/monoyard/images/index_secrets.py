"""What the installing steps of a build may read, and no layer keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from monoyard.install import installer_environment

_VARIABLES: Final = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
# A builder of an older engine mounts no empty file.
_DEFAULT: Final = "# the default index\n"


def index_secrets(directory: Path) -> dict[str, Path]:
    """Write the address of the package index, and find who vouches for it.

    Args:
        directory: Where `uv.toml` is written, readable by nobody else: the address may hold a
            password.

    Returns:
        Files by the names of the secrets: `index` (settings of uv), and `certificates` where the
        machine has some.
    """
    environment = installer_environment()
    addresses = [environment[name] for name in _VARIABLES if environment.get(name)]
    index = directory / "uv.toml"
    text = f'[[index]]\nurl = "{addresses[0]}"\ndefault = true\n' if addresses else _DEFAULT
    index.touch(mode=0o600)
    index.write_text(text, encoding="utf-8")
    certificates = Path(environment.get("SSL_CERT_FILE") or _CERTIFICATES)
    return {"index": index} | ({"certificates": certificates} if certificates.is_file() else {})
