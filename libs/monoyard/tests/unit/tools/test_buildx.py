"""What is said to buildx, and what it says."""

import json
from pathlib import Path

from monoyard.tools import buildx
from monoyard.tools.buildx import Target

SAID = """\
#8 [shop dependencies 2/3] RUN false
#8 ERROR: process "false" did not complete successfully: exit code: 1
------
 > [shop dependencies 2/3] RUN false:
------
ERROR: target shop: failed to solve: process "false" did not complete successfully: exit code: 1
"""


def test_definition_of_a_target() -> None:
    """A target names its context, stage, secrets and the layout it leaves; none attests itself."""
    target = Target(
        name="shop", context=Path("/c/shop-1"), dockerfile=Path("/c/shop-1/Dockerfile"),
        stage="image", contexts={"base": "oci-layout:///b@sha256:0"}, args={"A": "1"},
        secrets={"index": Path("/s/uv.toml")}, output=Path("/out/shop"),
    )  # fmt: skip
    found = json.loads(buildx.definition((target,)))["target"]["shop"]
    assert found == {
        "context": "/c/shop-1",
        "dockerfile": "/c/shop-1/Dockerfile",
        "target": "image",
        "contexts": {"base": "oci-layout:///b@sha256:0"},
        "args": {"A": "1"},
        "secret": ["id=index,src=/s/uv.toml"],
        "output": ["type=oci,dest=/out/shop,tar=false,rewrite-timestamp=true,oci-mediatypes=true"],
    }
    assert buildx.ENVIRONMENT["BUILDX_NO_DEFAULT_ATTESTATIONS"] == "1"


def test_target_without_output_stays_in_the_builder() -> None:
    """A stage that others are built on writes nothing."""
    target = Target("base", Path("/c"), Path("/c/D"), "base", {}, {}, {})
    found = json.loads(buildx.definition((target,)))["target"]["base"]
    assert found["output"] == ["type=cacheonly"]


def test_failed_targets_are_read_from_what_is_said() -> None:
    """The target that failed is named once; a builder that is not there names none."""
    assert buildx.failed_targets(SAID) == ("shop",)
    assert buildx.failed_targets('ERROR: no builder "monoyard" found\n') == ()


def test_bake_reads_standard_input() -> None:
    """The definition never lies in a file of the repository."""
    argv = buildx.bake(Path("/buildx"), "yard", Path("/m.json"), ("shop", "post"))
    assert argv[-2:] == ("shop", "post")
    assert "--file=-" in argv
