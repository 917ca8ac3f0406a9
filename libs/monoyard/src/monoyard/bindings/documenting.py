"""`nox -s docs`: writes the reference from what the program itself knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from monoyard.bindings.arguments import HELP
from monoyard.bindings.auditing_words import HELP as AUDIT_HELP
from monoyard.config import json_schema, package_json_schema
from monoyard.config.environments import environment_json_schema
from monoyard.config.local_cluster import local_cluster_json_schema
from monoyard.config.policy import policy_json_schema
from monoyard.install import TABLE
from monoyard.plan import READ_BY_DEFAULT, UNREAD_BY_DEFAULT, plan_schema
from monoyard.process import PASSED_THROUGH


def write_reference(directory: Path, *, check: bool = False) -> list[str]:
    """Write `docs/reference`; return the files that differed.

    Args:
        directory: Root of the repository.
        check: Change nothing.
    """
    place = directory / "docs" / "reference"
    changed = []
    for name, text in _files().items():
        path = place / name
        if not path.exists() or path.read_text("utf-8") != text:
            changed.append(path.relative_to(directory).as_posix())
            if not check:
                place.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return changed


def _files() -> dict[str, str]:
    return {
        "configuration.md": "\n".join(_configuration()) + "\n",
        "command-line.md": "\n".join(_command_line()) + "\n",
        "workspace.schema.json": _json(json_schema()),
        "package.schema.json": _json(package_json_schema()),
        "plan.schema.json": _json(plan_schema()),
        "policy.schema.json": _json(policy_json_schema()),
        "environment.schema.json": _json(environment_json_schema()),
        "local-cluster.schema.json": _json(local_cluster_json_schema()),
    }


def _json(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2) + "\n"


def _configuration() -> Iterator[str]:
    yield "# Configuration"
    yield ""
    yield "<!-- Written by `nox -s docs`. -->"
    yield ""
    yield "The workspace's table is `[tool.monoyard]` in the root `pyproject.toml`, or the file"
    yield "`monoyard.toml` beside it. Nothing in it is required."
    yield from _table("The workspace", json_schema()["properties"])
    yield ""
    yield 'A package\'s table is `[tool.monoyard]` in its own `pyproject.toml`, `"monoyard"` in its'
    yield "`package.json`, or `[tool.monoyard.packages.NAME]` at the root for manifests that are"
    yield "not to be touched. The package's own words win over the root's."
    yield from _table("A package", package_json_schema()["properties"])
    suite = json_schema()["properties"]["suites"]["additionalProperties"]["properties"]
    yield ""
    yield "A suite's table is `[tool.monoyard.suites.SUITE]`, in a package or for all at the root."
    yield from _table("A suite", suite)
    policy = policy_json_schema()["properties"]
    yield ""
    yield "The policy file (`images.policy`) says whose images each environment accepts: one table"
    yield "`[signers.NAME]` for each signer, one `[environments.NAME]` for each environment in the"
    yield "order of releases, and `[[exceptions]]`."
    yield from _table("A signer", policy["signers"]["additionalProperties"]["properties"])
    yield from _table(
        "An environment", policy["environments"]["additionalProperties"]["properties"]
    )
    yield from _table("An exception", policy["exceptions"]["items"]["properties"])
    yield from _environments()
    yield ""
    yield "## Files that no task reads by default"
    yield ""
    yield "At the root, unless `files` says otherwise; `lint` and `type` of a package that owns"
    yield "one of them do read it."
    yield ""
    yield from (f"- `{pattern}`" for pattern in UNREAD_BY_DEFAULT)
    yield ""
    for pattern, suites in READ_BY_DEFAULT.items():
        yield f"`{pattern}` is read by {', '.join(f'`{suite}`' for suite in suites)}."
    yield ""
    yield "## Environment variables that every task sees"
    yield ""
    yield "They are no part of any key. Everything else has to be declared with `env`."
    yield ""
    yield f"{', '.join(f'`{name}`' for name in PASSED_THROUGH)}."


def _environments() -> Iterator[str]:
    properties = environment_json_schema()["properties"]
    yield from _table(
        "Delivery: `[tool.monoyard.delivery]`",
        json_schema()["properties"]["delivery"]["properties"],
    )
    yield ""
    yield "The file `environment.toml` of each environment (`delivery.environments`) says where"
    yield "it is and by which rules it is deployed to."
    yield from _table("The file of an environment", properties)
    for name, title in (
        ("deployers", "Who may deploy"), ("data", "Data"), ("timeouts", "Timeouts"),
    ):  # fmt: skip
        yield from _table(f"{title}: `[{name}]`", properties[name]["properties"])
    service = properties["services"]["additionalProperties"]["properties"]
    yield from _table("A service of an environment: `[services.NAME]`", service)
    yield ""
    yield "The file `infra/cluster/cluster.toml` says what the local cluster is given for them."
    properties = local_cluster_json_schema()["properties"]
    yield from _table("The file of the local cluster", properties)
    source = properties["secrets"]["additionalProperties"]["additionalProperties"]["properties"]
    yield from _table("A value of a Secret: `[secrets.NAME]`, one of", source)


def _table(title: str, properties: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield "| key | value | meaning |"
    yield "| --- | --- | --- |"
    for name, schema in properties.items():
        meaning = str(schema.get("description", "")).replace("|", "\\|")
        yield f"| `{name}` | {_kind(schema)} | {meaning} |"


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"])
    if "examples" in schema:
        return f"such as {', '.join(f'`{example}`' for example in schema['examples'][:2])}"
    if "anyOf" in schema:
        return f"{_kind(schema['anyOf'][0])}, or a list"
    match schema.get("type"):
        case "array":
            return f"list of {_kind(schema['items'])}"
        case "object":
            return "table"
        case "boolean":
            return "`true` or `false`"
        case "integer":
            return "number"
        case _:
            return "text"


def _command_line() -> Iterator[str]:
    yield "# Command line"
    yield ""
    yield "<!-- Written by `nox -s docs`. -->"
    yield ""
    yield "```"
    yield from HELP.rstrip().splitlines()
    yield "```"
    yield ""
    yield "## Auditing past commits"
    yield ""
    yield "```"
    yield from AUDIT_HELP.rstrip().splitlines()
    yield "```"
    yield ""
    yield "## Exit codes"
    yield ""
    yield "| code | meaning |"
    yield "| --- | --- |"
    yield "| 0 | everything selected passed |"
    yield "| 1 | a check failed; the verdict says which |"
    yield "| 2 | the command line asks for something that does not exist |"
    yield "| 10, 11 | configuration; repository |"
    yield "| 20, 21 | the machine lacks something; a tool failed |"
    yield "| 30, 31, 32 | an image cannot be published; the registry; an image is not accepted |"
    yield "| 40, 41 | a deployment failed or is refused; the cluster does not do as it is asked |"
    yield "| 42, 43 | somebody else holds the environment; this runner no longer does |"
    yield "| 44 | a deployment went back because its gates had too little to go by |"
    yield "| 70 | a fault of monoyard itself |"
    yield "| 130 | interrupted; the partial record was written |"
    yield ""
    yield "## External tools"
    yield ""
    yield "| tool | purpose | where from |"
    yield "| --- | --- | --- |"
    yield from (f"| {tool.name} | {tool.purpose} | {tool.found} |" for tool in TABLE)
