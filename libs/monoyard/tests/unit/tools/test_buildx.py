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
        "cache-from": [],
        "cache-to": [],
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


def test_cache_of_a_target() -> None:
    """All stages are kept, as an image that every registry takes, and a refusal fails nothing."""
    target = Target(
        "shop", Path("/c"), Path("/c/D"), "image", {}, {}, {},
        cache_from=("r/c:own", "r/c:main"), cache_to="r/c:own",
    )  # fmt: skip
    found = json.loads(buildx.definition((target,)))["target"]["shop"]
    assert found["cache-from"] == ["type=registry,ref=r/c:own", "type=registry,ref=r/c:main"]
    (kept,) = found["cache-to"]
    assert kept.split(",") == [
        "type=registry", "ref=r/c:own", "mode=max", "image-manifest=true", "oci-mediatypes=true",
        "ignore-error=true",
    ]  # fmt: skip


PROGRESS = """\
#0 building with "yard" instance using remote driver

#4 [internal] load local bake definitions
#4 CACHED
#0 building with "yard" instance using remote driver

#4 importing cache manifest from r/c:main
#4 ERROR: failed to configure registry cache importer: r/c:main: not found

#7 [shop dependencies 1/3] RUN one
#7 ...

#8 [shop application 1/2] RUN two
#8 0.2 said by the step
#8 DONE 0.4s

#7 [shop dependencies 1/3] RUN one
#7 CACHED

#13 exporting cache to registry
#13 ERROR: error writing layer blob: connection refused
------
 > importing cache manifest from r/c:main:
------
------
 > exporting cache to registry:
------
"""


def test_steps_are_read_from_progress() -> None:
    """A step that another interrupts is one step; only what was there counts as cached."""
    found = {step.name: step.is_cached for step in buildx.steps(PROGRESS)}
    assert found == {
        "[internal] load local bake definitions": True,
        "importing cache manifest from r/c:main": False,
        "[shop dependencies 1/3] RUN one": True,
        "[shop application 1/2] RUN two": False,
        "exporting cache to registry": False,
    }


def test_cache_that_is_empty_is_no_fault() -> None:
    """What is not there yet is nothing to tell; what cannot be read or written is."""
    found = buildx.cache_faults(PROGRESS)
    assert found.reading == ""
    assert found.writing == "error writing layer blob: connection refused"
    refused = PROGRESS.replace("r/c:main: not found", "401 Unauthorized")
    assert buildx.cache_faults(refused).reading.endswith("401 Unauthorized")


def test_caches_are_left_out_of_what_failed() -> None:
    """What is repeated of a failed step is told without the caches that were not there."""
    assert buildx.repeated(PROGRESS) == ()
    assert buildx.repeated("#1 fine\n") == ()
    failed = "------\n > [shop 2/2] RUN false:\n0.1 no luck\n------\nERROR: target shop: failed\n"
    assert buildx.repeated(PROGRESS + failed) == tuple(failed.splitlines())
