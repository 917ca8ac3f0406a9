"""The checks of charts with the real programs, on a chart that is nobody's but a team's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from monoyard.charts import Snapshots, compared

from .shop import Shop

TEMPLATE = "chart/templates/deployment.yaml"
CONTAINER = "spec.template.spec.containers[0]"


def test_a_chart_of_its_own_is_rendered_with_what_it_asks_for(shop: Shop) -> None:
    """The image stands where the team's chart wants it, and nothing else is told."""
    checked = shop.check()

    assert checked.findings == ()
    (rendered,) = checked.rendered
    (thing,) = rendered.objects
    assert thing["spec"]["template"]["spec"]["containers"][0]["image"] == (
        "registry.invalid/api@sha256:" + "0" * 64
    )


@pytest.mark.parametrize(
    ("path", "old", "new", "finding"),
    [
        ("values.yaml", "replicas: 1", "replicas: 0", ("api", "render", "", "")),
        (TEMPLATE, "{{ .Values.replicas }}", "{{ .Values.x.y }}", ("api", "render", "", "")),
        (
            TEMPLATE, "replicas:", "replicsa:", ("api", "schema", "Deployment/api", "spec"),
        ),
        (TEMPLATE, "apps/v1", "apps/v2", ("api", "schema", "Deployment/api", "")),
        (
            TEMPLATE, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false",
            ("api", "read-only-root", "Deployment/api",
             f"{CONTAINER}.securityContext.readOnlyRootFilesystem"),
        ),
        (
            TEMPLATE, "{{ .Values.app.image }}", "shop:latest",
            ("api", "digest", "Deployment/api", f"{CONTAINER}.image"),
        ),
        (
            TEMPLATE, "metadata:\n", "metadata:\n  namespace: kube-system\n",
            ("api", "namespace", "Deployment/api", "metadata.namespace"),
        ),
        (
            "values.yaml", "secret: api", "secret: apj",
            ("api", "secrets", "Deployment/api", f"{CONTAINER}.env.TOKEN"),
        ),
        (
            TEMPLATE, "key: token", "key: tokens",
            ("api", "secrets", "Deployment/api", f"{CONTAINER}.env.TOKEN"),
        ),
        (
            TEMPLATE, "matchLabels: {app: api}", "",
            ("api", "helm-lint", "", ""),
        ),
    ],
)  # fmt: skip
def test_each_fault_is_named_where_it_is(
    shop: Shop, path: str, old: str, new: str, finding: tuple[str, str, str, str]
) -> None:
    """A chart that was broken on purpose is refused by the rule that is for it."""
    shop.replace(path, old, new)

    assert finding in shop.findings()


def test_a_line_of_values_that_does_not_fit_is_quoted(shop: Shop) -> None:
    """What the chart's own schema says of a value reaches the reader."""
    shop.replace("values.yaml", "replicas: 1", "replicas: 0")

    said = "\n".join(str(finding) for finding in shop.check().findings)

    assert "dev/api: " in said
    assert "/replicas" in said
    assert "minimum" in said


def test_a_missing_chart_is_a_finding(shop: Shop) -> None:
    """An environment that names a chart which is not there does not pass for want of objects."""
    shop.environment = shop.environment.replace('chart = "chart"', 'chart = "charts/gone"')

    (finding,) = shop.check().findings

    assert (finding.rule, finding.message) == ("render", "there is no chart at charts/gone")


def test_a_rule_is_taken_back_with_a_reason(shop: Shop) -> None:
    """An exception holds for its service and its rule; one for no rule is a mistake."""
    shop.replace(TEMPLATE, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")
    shop.environment = shop.environment.replace(
        "[secrets]",
        '[services.api.exceptions]\nread-only-root = "it writes a cache"\n'
        'read-only = "mistyped"\n[secrets]',
    )

    (finding,) = shop.check().findings

    assert finding.field == "services.api.exceptions"
    assert finding.message == "there is no rule `read-only`; did you mean `read-only-root`?"


def test_an_environment_without_rules_for_images_is_a_finding(shop: Shop) -> None:
    """An environment whose images nobody judges must not be deployed to by mistake."""
    shop.environment = 'policy = "dve"\n' + shop.environment

    (finding,) = shop.check().findings

    assert finding.message == "the policy file has no environment `dve`; did you mean `dev`?"


def test_helm_sees_neither_a_cluster_nor_a_home(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is rendered depends on the repository alone, not on whose machine it is."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nobody"))
    monkeypatch.setenv("HELM_NAMESPACE", "elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path / "no-home"))

    assert shop.check().findings == ()


def test_snapshots_show_every_change(shop: Shop, tmp_path: Path) -> None:
    """What is rendered differently is a finding with the line, until it is written and reviewed."""
    snapshots = Snapshots(tmp_path / "snapshots")
    missing, _ = compared(snapshots, shop.check().rendered, update=False)
    _, written = compared(snapshots, shop.check().rendered, update=True)
    same, _ = compared(snapshots, shop.check().rendered, update=False)
    shop.replace("values.yaml", "replicas: 1", "replicas: 2")
    other, _ = compared(snapshots, shop.check().rendered, update=False)

    assert [finding.message for finding in missing] == ["there is no snapshot of it"]
    assert written == ("dev/api.yaml",)
    assert same == ()
    assert [finding.message for finding in other] == [
        "line 9 was `replicas: 1` and is `replicas: 2`"
    ]


def test_what_is_rendered_no_more_leaves_its_snapshot(shop: Shop, tmp_path: Path) -> None:
    """The snapshot of a service that went is a finding, and goes with the next update."""
    shop.write("snapshots/dev/old.yaml", "kind: Deployment\n")
    snapshots = Snapshots(tmp_path / "snapshots")
    compared(snapshots, (), update=True)

    assert not (tmp_path / "snapshots/dev/old.yaml").exists()

    shop.write("snapshots/dev/old.yaml", "kind: Deployment\n")
    (finding,), _ = compared(snapshots, (), update=False)

    assert (finding.environment, finding.service) == ("dev", "old")
    assert finding.message == "it is rendered no more"


def test_an_environment_knows_which_services_share_out_traffic(shop: Shop) -> None:
    """The chart of the environment is told of every weight that a Rollout of it writes."""
    shop.write("around/Chart.yaml", "apiVersion: v2\nname: around\nversion: 1.0.0\n")
    shop.write(
        "around/templates/all.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: all}\n"
        "data:\n  values: {{ .Values | toJson | quote }}\n",
    )
    shop.write("schemas/configmap-v1.json", '{"type": "object"}')
    shop.write("schemas/rollout-argoproj.io-v1alpha1.json", '{"type": "object"}')
    shop.write(
        TEMPLATE,
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: api}\n"
        "spec: {strategy: {canary: {trafficRouting: {traefik: "
        "{weightedTraefikServiceName: api-weights}}}}}\n",
    )

    checked = shop.check(environment_chart="around")

    assert checked.findings == ()
    told = checked.rendered[-1].objects[0]["data"]["values"]
    assert '"routed":["api-weights"]' in told
    assert '"secrets":{"api":["token"]}' in told
