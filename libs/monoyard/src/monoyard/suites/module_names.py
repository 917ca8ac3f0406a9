"""Which distribution an imported module belongs to, judged by names alone.

Plans are made before anything is installed, so nothing else is there to ask. The table holds well
known modules that are called otherwise than their distribution.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from monoyard.workspace import normalize

_OTHERWISE_NAMED: Final = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "git": "gitpython",
    "google": "protobuf",
    "grpc": "grpcio",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "MySQLdb": "mysqlclient",
    "nacl": "pynacl",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "pkg_resources": "setuptools",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}


def distribution_names(modules: Iterable[str]) -> frozenset[str]:
    """Return the normalised names of distributions that may provide dotted modules."""
    tops = {module.partition(".")[0] for module in modules}
    found = {normalize(top) for top in tops}
    return frozenset(found | {_OTHERWISE_NAMED[top] for top in tops if top in _OTHERWISE_NAMED})
