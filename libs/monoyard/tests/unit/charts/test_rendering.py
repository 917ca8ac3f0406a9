"""What is made of Helm's answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from monoyard.charts import ChartCall, ChartError, Charts, Given, kubernetes_version
from monoyard.config import DeliverySettings
from monoyard.config.environments import read_environments
from monoyard.errors import ToolError

GIVEN = Given("r/api", "sha256:1", "c0ffee", "7", {"db": "3"}, "sha256:0", ("r/tools", "sha256:2"))
CALL = ChartCall("api", "chart", (), {}, "shop")


def charts(top: Path, script: str = "") -> Charts:
    """Return the charts of a repository whose Helm is a script."""
    program = top / "helm"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    (top / "chart").mkdir()
    (top / "chart" / "Chart.yaml").write_text("name: chart\n", "utf-8")
    return Charts(top, DeliverySettings(), program, "1.34.4")


@pytest.mark.parametrize("gap", ["", "\\n", "\\n\\n"])
def test_both_majors_render_the_same_text(tmp_path: Path, gap: str) -> None:
    """Helm 4 puts a blank line between documents that Helm 3 does not; snapshots have none."""
    script = f'printf "kind: A\\n{gap}---\\nkind: B\\n{gap}"'

    rendered = charts(tmp_path, script).render(CALL, "dev", "api")

    assert rendered.text == "kind: A\n---\nkind: B\n"
    assert [thing["kind"] for thing in rendered.objects] == ["A", "B"]


@pytest.mark.parametrize("printed", ["just words", "- 1", "a: [", "name: x"])
def test_what_is_no_object_is_refused(tmp_path: Path, printed: str) -> None:
    """A template that renders anything but objects is an error and not an empty result."""
    with pytest.raises(ChartError, match="renders no objects"):
        charts(tmp_path, f"echo '{printed}'").render(CALL, "dev", "api")


def test_values_come_in_the_order_in_which_they_win(tmp_path: Path) -> None:
    """The service's file, then its environment's, then the service's own there, if it exists."""
    for name in ("deploy/services/api.yaml", "deploy/environments/dev/values.yaml"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("{}\n", "utf-8")
    text = b'namespace = "shop"\ncluster = "local"\n[services.api]\n'
    dev = read_environments({"dev": ("dev", text)}).named("dev")

    call = charts(tmp_path).of_service(dev, "api", GIVEN)

    assert call.chart == "deploy/charts/service"
    assert call.files == ("deploy/services/api.yaml", "deploy/environments/dev/values.yaml")
    assert call.given == {
        "service": "api",
        "environment": "dev",
        "image": {"repository": "r/api", "digest": "sha256:1"},
        "release": {"commit": "c0ffee", "deployment": "7"},
        "versions": {"db": "3"},
        "previous": {"digest": "sha256:0"},
        "smoke": {"image": {"repository": "r/tools", "digest": "sha256:2"}},
    }


def test_a_foreign_chart_is_told_what_it_asks_for(tmp_path: Path) -> None:
    """Each word stands at the path that the environment's file gives it, and no other value."""
    text = (
        b'namespace = "shop"\ncluster = "local"\n[services.api]\nchart = "chart"\nvalues = []\n'
        b'given = { "app.image" = "reference", "app.version" = "commit", "env" = "environment" }\n'
    )
    dev = read_environments({"dev": ("dev", text)}).named("dev")

    call = charts(tmp_path).of_service(dev, "api", GIVEN)

    assert call.given == {"app": {"image": "r/api@sha256:1", "version": "c0ffee"}, "env": "dev"}


def test_without_schemas_there_is_a_hint(tmp_path: Path) -> None:
    """A repository that has no schemas yet is told how to make them."""
    with pytest.raises(ToolError) as caught:
        kubernetes_version(DeliverySettings(), tmp_path)

    assert caught.value.hint == "`invoke deploy.schemas` makes them"
