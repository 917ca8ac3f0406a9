"""What of a service's chart is copied for a Job, and the way to its store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from monoyard.delivery.objects import CONFIG_MAP, Kind, Object, name_of, new
from monoyard.deployment.jobs import ACCOUNT, POLICY, Wanted

_PORTS: Final = {"http": 80, "https": 443}
_NAMES: Final = 53
_SETTINGS: Final = ("configMap", "configMapRef", "configMapKeyRef")


class Copies:
    """What the new version's pod needs of its chart, under names of the Job.

    Args:
        wanted: The Job.
        objects: What the chart of its service comes to.

    Attributes:
        made: The copies, with the kind of each.
    """

    def __init__(self, wanted: Wanted, objects: Iterable[Object]) -> None:
        self._wanted = wanted
        self._objects = {(thing["kind"], name_of(thing)): thing for thing in objects}
        self.made: list[tuple[Kind, Object]] = []
        self._settings: dict[str, str] = {}
        self._to_store: dict[str, Any] | None = None

    def of_settings(self, value: Any) -> Any:
        """Return a part of a pod with every ConfigMap that the chart renders copied and renamed."""
        if isinstance(value, Mapping):
            return {name: self._renamed(name, self.of_settings(item))
                    for name, item in value.items()}  # fmt: skip
        if isinstance(value, list):
            return [self.of_settings(item) for item in value]
        return value

    def of_account(self, name: str) -> str:
        """Copy an account that the chart renders, and return its name."""
        found = self._objects.get((ACCOUNT.name, name))
        if found is None:
            return name
        return self._copy(ACCOUNT, found, without=("secrets",))

    def of_policies(self, labels: Mapping[str, str]) -> None:
        """Give the Job's pod the ways out that the serving pods are rendered with.

        Pods that no policy holds to any ways may go anywhere; the first one that selects them ends
        that. So where nothing holds the serving pods, the way to a store is made one to anywhere.
        """
        is_held = False
        for (kind, _), thing in self._objects.items():
            spec = thing.get("spec") or {}
            if kind != POLICY.name or not _is_of_egress(spec):
                continue
            selector = spec.get("podSelector") or {}
            is_held = is_held or _may_select(selector, labels)
            if spec.get("egress") and _selects(selector, labels):
                out = {"podSelector": {"matchLabels": self._wanted.labels},
                       "policyTypes": ["Egress"], "egress": spec["egress"]}  # fmt: skip
                self._copy(POLICY, {**thing, "spec": out})
        if not is_held and self._to_store is not None:
            self._to_store["egress"] = [{}]

    def of_store(self, endpoint: str) -> None:
        """Give the Job's pod the way to a store, by its port: names change their addresses.

        It comes before `of_policies`, which knows whether it would close other ways.
        """
        url = urlsplit(endpoint)
        ports = [{"port": url.port or _PORTS[url.scheme], "protocol": "TCP"}]
        names = [{"port": _NAMES, "protocol": protocol} for protocol in ("UDP", "TCP")]
        spec: dict[str, Any] = {
            "podSelector": {"matchLabels": self._wanted.labels},
            "policyTypes": ["Egress"],
            "egress": [{"ports": ports}, {"ports": names}],
        }
        self._to_store = spec
        name = f"{self._wanted.name}-{len(self.made)}"
        self.made.append((POLICY, new(POLICY, name, labels=self._wanted.labels, spec=spec)))

    def _renamed(self, key: str, value: Any) -> Any:
        if key not in _SETTINGS or not isinstance(value, Mapping):
            return value
        name = str(value.get("name") or "")
        found = self._objects.get((CONFIG_MAP.name, name))
        if found is None:
            return value
        if name not in self._settings:
            self._settings[name] = self._copy(CONFIG_MAP, found)
        return {**value, "name": self._settings[name]}

    def _copy(self, kind: Kind, thing: Object, without: Iterable[str] = ()) -> str:
        left = {"apiVersion", "kind", "metadata", "status", *without}
        fields = {key: item for key, item in thing.items() if key not in left}
        name = f"{self._wanted.name}-{len(self.made)}"
        annotations = dict(_kept_annotations(thing))
        self.made.append(
            (kind, new(kind, name, labels=self._wanted.labels, annotations=annotations, **fields))
        )
        return name


def _kept_annotations(thing: Object) -> Iterator[tuple[str, str]]:
    """Yield what others go by, such as a cloud's role of an account; Helm's own words are left."""
    for name, value in (thing["metadata"].get("annotations") or {}).items():
        if "helm.sh/" not in name:
            yield name, value


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether a selector means pods of some labels; what is hard to say is taken for no."""
    return not selector.get("matchExpressions") and _may_select(selector, labels)


def _may_select(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether a selector may mean pods of some labels; what is hard to say is taken for yes."""
    return bool((selector.get("matchLabels") or {}).items() <= labels.items())


def _is_of_egress(policy: Mapping[str, Any]) -> bool:
    """Say whether a policy says where pods may go; without a rule it says nowhere."""
    return bool(policy.get("egress")) or "Egress" in (policy.get("policyTypes") or ())
