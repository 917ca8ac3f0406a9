"""The cluster from the invoke door, without one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..checkouts import Checkout  # noqa: TID252  a folder, not a package


def test_status_says_that_there_is_none(empty: Checkout, tmp_path: Path) -> None:
    """Where nothing is up the exit code is 1, the words name what makes one, and JSON is whole."""
    elsewhere = {"MONOYARD_CLUSTER_DIR": str(tmp_path / "none")}
    ended = empty.invoke("cluster.status", env=elsewhere)
    assert ended.code == 1, ended.text
    assert ended.out.splitlines() == [
        "there is no local cluster",
        "hint: `invoke cluster.up` makes one",
    ]
    assert "error[cluster-not-ready]: the cluster is down" in ended.err
    read = empty.invoke("cluster.status", "--json", env=elsewhere)
    assert json.loads(read.out)["state"] == "down"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gets that far")
def test_down_without_a_cluster_is_no_error(empty: Checkout, tmp_path: Path) -> None:
    """There is nothing to remove, and that is said."""
    ended = empty.invoke("cluster.down", env={"MONOYARD_CLUSTER_DIR": str(tmp_path / "none")})
    assert (ended.code, ended.out.strip()) == (0, "there was no cluster"), ended.text
