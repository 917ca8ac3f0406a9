"""Which images there are, and what their keys cover."""

from typing import TYPE_CHECKING, cast

import pytest

from monoyard.errors import ConfigurationError
from monoyard.images import ImageWork

if TYPE_CHECKING:
    from .conftest import Yard


def work(yard: "Yard") -> ImageWork:
    """Return what is to be done for the one image."""
    (task,) = yard.tasks()
    return cast("ImageWork", task.work)


def test_services_have_images_and_libraries_have_none(yard: "Yard") -> None:
    """There is one task for each Python service, and it is made of the service's closure."""
    assert [task.id for task in yard.tasks()] == ["shop:image"]
    found = work(yard)
    assert sorted(found.sources) == ["core", "shop"]
    assert found.entrypoint == ("python3", "-m", "shop")
    assert found.requirements == "requirements/shop.txt"


def test_without_bases_there_are_no_images(yard: "Yard") -> None:
    """A repository that says nothing of images has no task of theirs, and no engine is asked."""
    yard.write("pyproject.toml", '[tool.monoyard]\nmembers = ["libs/*", "services/*"]\n')
    assert yard.tasks(problem="nobody may ask") == ()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("services/shop/src/shop/__init__.py", "VALUE = 1"),
        ("services/shop/README.md", "It stands in the wheel's metadata."),
        ("libs/core/src/core/__init__.py", "VALUE = 1"),
        ("libs/core/data.txt", "new"),
        ("requirements/shop.txt", "httpx==2.0 \\\n    --hash=sha256:00\n"),
        ("services/shop/Dockerfile", "FROM scratch AS image\n"),
        ("infra/images/debian.lock", 'python = ["python3-minimal 3.11.3 amd64 00"]\n'),
    ],
)
def test_what_is_in_an_image_is_in_its_key(yard: "Yard", path: str, text: str) -> None:
    """A change of anything that reaches the image changes the key."""
    before = yard.manifest().key
    yard.write(path, text)
    assert yard.manifest().key != before


@pytest.mark.parametrize(
    "path",
    [
        "services/shop/tests/test_it.py", "libs/core/tests/test_new.py",
        "libs/other/src/other/__init__.py", "services/shop/docs/page.md",
    ],
)  # fmt: skip
def test_what_is_not_in_an_image_leaves_its_key(yard: "Yard", path: str) -> None:
    """Tests, documents and packages that the service does not need rebuild nothing."""
    before = yard.manifest().key
    yard.write(path, "VALUE = 1")
    assert yard.manifest().key == before


@pytest.mark.parametrize(
    "table",
    [
        '[tool.monoyard.image]\nentrypoint = ["python3", "-m", "other"]',
        "[tool.monoyard.image]\nport = 9000",
        '[tool.monoyard.image]\nhealth = "/alive"',
        '[tool.monoyard.image.environment]\nNAME = "value"',
        '[tool.monoyard.image]\ninclude = ["src/**"]',
    ],
)
def test_settings_are_in_the_key(yard: "Yard", table: str) -> None:
    """What the table says of an image is a part of its key, what only its trial needs too."""
    before = dict(yard.manifest().parts)
    yard.package("services/shop", "core", table=f'[tool.monoyard]\nrole = "service"\n{table}\n')
    assert yard.manifest().parts["image"] != before["image"]


def test_page_waits_for_its_build(yard: "Yard") -> None:
    """A TypeScript service with a `build` script has an image of what that made."""
    table = '[tool.monoyard.images.bases.page]\npackages = ["nginx"]\n'
    root = (yard.top / "pyproject.toml").read_text("utf-8")
    yard.write("pyproject.toml", root + table)
    lock = (yard.top / "infra/images/debian.lock").read_text("utf-8")
    yard.write("infra/images/debian.lock", lock + 'page = ["nginx 1 amd64 00"]\n')
    manifest = (
        '{"name": "page", "scripts": {"build": "vite build"}, "monoyard": {"role": "service"}}'
    )
    yard.write("services/page/package.json", manifest)
    tasks = {task.id: task for task in yard.tasks()}
    assert sorted(tasks) == ["page:image", "shop:image"]
    assert tasks["page:image"].needs == ("page:build",)
    assert cast("ImageWork", tasks["page:image"].work).bundle == "services/page/dist"
    yard.write("services/page/package.json", manifest.replace("build", "bundle"))
    assert [task.id for task in yard.tasks()] == ["shop:image"]


def test_all_faults_are_told_at_once(yard: "Yard") -> None:
    """Bases that do not exist or are not locked are named, each with its package."""
    table = '[tool.monoyard]\nrole = "service"\n[tool.monoyard.image]\nbase = "pyton"\n'
    yard.package("services/post", table=table)
    yard.write("infra/images/debian.lock", "")
    with pytest.raises(ConfigurationError) as raised:
        yard.tasks()
    assert raised.value.context == (
        "post: there is no base image `pyton`; did you mean `python`?",
        "infra/images/debian.lock: base `python` is not locked; `invoke images.refresh`",
        "requirements/post.txt is not there; `invoke lock`",
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            'image = "python:3.12"',
            "base `python`: `python:3.12` is no digest, but a tag that moves",
        ),
        ("", "base `python`: either `packages` or an `image`"),
        (
            'image = "python@sha256:00"\npackages = ["python3"]',
            "base `python`: either `packages` or an `image`",
        ),
    ],
)
def test_base_is_packages_or_a_digest(yard: "Yard", table: str, said: str) -> None:
    """A base that may be something else tomorrow, nothing, or two things is refused."""
    root = (yard.top / "pyproject.toml").read_text("utf-8")
    yard.write("pyproject.toml", root.replace('packages = ["python3-minimal"]', table))
    with pytest.raises(ConfigurationError) as raised:
        yard.tasks()
    assert said in raised.value.context


def test_include_that_matches_nothing_is_an_error(yard: "Yard") -> None:
    """A glob that finds no file is a typing error, not an empty list."""
    table = '[tool.monoyard]\nrole = "service"\n[tool.monoyard.image]\ninclude = ["migration/**"]\n'
    yard.package("services/shop", "core", table=table)
    with pytest.raises(ConfigurationError, match=r"shop: image.include: `migration/\*\*` matches"):
        yard.tasks()


def test_no_engine_is_a_skip_with_its_reason(yard: "Yard") -> None:
    """Where images cannot be made the task says why."""
    (task,) = yard.tasks(problem="no container engine answers")
    assert task.skip == "no container engine answers"


def test_refreshed_bases_are_not_cached(yard: "Yard") -> None:
    """A run that resolves bases anew needs no lock, and its results are nobody's hit."""
    yard.write("infra/images/debian.lock", "")
    (task,) = yard.tasks(is_refreshing=True)
    assert not task.is_cacheable
    assert cast("ImageWork", task.work).base.locked == ()


def test_policy_and_rules_are_read_by_no_task(yard: "Yard") -> None:
    """Who judges images changes none of them; what else lies beside the policy may."""
    for path in ("infra/images/policy.toml", "infra/images/rules/a/b.yml", "infra/images/other"):
        yard.write(path, "")
    assert yard.covered() == {
        "infra/images/debian.lock", "infra/images/policy.toml", "infra/images/rules/a/b.yml",
    }  # fmt: skip
    yard.write("pyproject.toml", '[tool.monoyard]\nmembers = ["libs/*"]\n')
    assert "infra/images/policy.toml" in yard.covered()
