"""Packages that need each other in a ring."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Checkout


def test_ring_is_reported_whole_by_each_of_its_members(empty: "Checkout") -> None:
    """Lint of every package of a ring fails with the whole ring; tests and the plan still work."""
    empty.package("alpha", "gamma", source="import gamma as gamma\n", test="import alpha\n")
    empty.package("beta", "alpha", source="import alpha as alpha\n", test="import beta\n")
    empty.package("gamma", "beta", source="import beta as beta\n", test="import gamma\n")
    empty.package("outside", "alpha")
    empty.commit()
    assert empty.outcomes("lint") == {
        "alpha:lint": "fail", "beta:lint": "fail", "gamma:lint": "fail", "outside:lint": "pass",
    }  # fmt: skip
    for name in ("alpha", "beta", "gamma"):
        (finding,) = (
            item
            for item in empty.result(f"{name}:lint")["findings"]
            if item["rule"] == "dependency-cycle"
        )
        assert finding["path"] == f"libs/{name}/pyproject.toml"
        assert "in a ring: alpha -> gamma -> beta -> alpha" in finding["message"]
    graph = empty.invoke("graph")
    assert graph.out.count("-->") == 4, graph.text
