"""Sets up an unpacked root file system: certificates and users. Runs inside the build."""

from pathlib import Path

CERTIFICATES = Path("/usr/share/ca-certificates")
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
NOBODY_LOGS_IN = "/nonexistent:/usr/sbin/nologin"

BUNDLE.parent.mkdir(parents=True, exist_ok=True)
BUNDLE.write_bytes(b"".join(path.read_bytes() for path in sorted(CERTIFICATES.rglob("*.crt"))))
Path("/etc/passwd").write_text(
    f"root:x:0:0:root:{NOBODY_LOGS_IN}\napp:x:10001:10001::{NOBODY_LOGS_IN}\n", encoding="utf-8"
)
Path("/etc/group").write_text("root:x:0:\napp:x:10001:\n", encoding="utf-8")
