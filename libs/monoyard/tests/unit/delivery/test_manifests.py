"""The manifest diff: everything that changes, nothing that does not, and no secret."""

from typing import Any

from monoyard.delivery.manifests import FieldChange, ObjectChange, compare


def deployment(**changes: Any) -> dict[str, Any]:
    """Return a live object as an API server returns it."""
    spec = {
        "replicas": 2,
        "containers": [
            {"name": "api", "image": "api@sha256:1", "env": [{"name": "A", "value": "1"}]},
            {"name": "proxy", "image": "proxy@sha256:2"},
        ],
        **changes,
    }
    return {
        "kind": "Deployment",
        "metadata": {"name": "api", "uid": "u", "resourceVersion": "7", "generation": 4},
        "spec": spec,
        "status": {"readyReplicas": 2},
    }


def test_same_objects_do_not_change() -> None:
    """What the API server counts and notes by itself is no change."""
    later = deployment()
    later["metadata"] |= {"resourceVersion": "9", "generation": 5, "managedFields": [{}]}
    later["status"] = {}
    assert compare([deployment()], [later]) == ()


def test_field_is_named_by_where_it_is() -> None:
    """A container is named by its name, wherever it stands in the list."""
    wanted = deployment(
        containers=[
            {"name": "api", "image": "api@sha256:9", "env": [{"name": "A", "value": "2"}]},
            {"name": "proxy", "image": "proxy@sha256:2"},
        ]
    )
    (change,) = compare([deployment()], [wanted])
    assert change == ObjectChange(
        "Deployment/api",
        "changed",
        (
            FieldChange("spec.containers[api].env[A].value", '"1"', '"2"'),
            FieldChange("spec.containers[api].image", '"api@sha256:1"', '"api@sha256:9"'),
        ),
    )


def test_field_that_comes_and_field_that_goes() -> None:
    """A field that is not there has no value, which is not the same as an empty one."""
    live = deployment(paused=False)
    wanted = deployment(strategy="")
    (change,) = compare([live], [wanted])
    assert change.fields == (
        FieldChange("spec.paused", "false", ""),
        FieldChange("spec.strategy", "", '""'),
    )


def test_order_of_named_things_is_a_change() -> None:
    """The first container is another one: the same set in another order is not the same."""
    turned = deployment(containers=list(reversed(deployment()["spec"]["containers"])))
    (change,) = compare([deployment()], [turned])
    assert change.fields == (
        FieldChange("spec.containers", '["api", "proxy"]', '["proxy", "api"]'),
    )


def test_lists_without_names_are_compared_whole() -> None:
    """Arguments, and lists in which a name comes twice, are told as they are."""
    live, wanted = deployment(args=["a", "b"]), deployment(args=["a"])
    assert compare([live], [wanted])[0].fields == (FieldChange("spec.args", '["a", "b"]', '["a"]'),)
    ports = [{"name": "http", "port": 1}, {"name": "http", "port": 2}]
    (change,) = compare([deployment(ports=ports)], [deployment(ports=ports[:1])])
    assert [field.path for field in change.fields] == ["spec.ports"]


def test_objects_that_come_and_go() -> None:
    """An object on one side only is added or removed; objects of two kinds may share a name."""
    service = {"kind": "Service", "metadata": {"name": "api"}, "spec": {}}
    assert compare([deployment()], [service]) == (
        ObjectChange("Deployment/api", "removed"),
        ObjectChange("Service/api", "added"),
    )


def test_contents_of_secrets_are_never_told() -> None:
    """A changed secret is named by its keys; neither value is in the diff."""

    def secret(**data: str) -> dict[str, Any]:
        return {"kind": "Secret", "metadata": {"name": "api"}, "data": data}

    changes = compare(
        [secret(token="b2xk", same="eA==", gone="eQ==")],
        [secret(token="bmV3", same="eA==", added="eg==")],
    )
    assert changes[0].fields == (
        FieldChange("data.added", "", "(hidden)"),
        FieldChange("data.gone", "(hidden)", ""),
        FieldChange("data.token", "(hidden)", "(hidden)"),
    )
    assert "b2xk" not in str(changes)
    assert "bmV3" not in str(changes)
    whole = compare([{"kind": "Secret", "metadata": {"name": "api"}}], [secret(token="b2xk")])
    assert "b2xk" not in str(whole)
