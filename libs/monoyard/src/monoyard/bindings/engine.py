"""Puts the rooms together for one call: repository, store, workspace, plan, run."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import cached_property, partial
from typing import Self

from monoyard.bindings.checkout import Checkout
from monoyard.bindings.collecting import uncollected
from monoyard.changes import Changes
from monoyard.images import ImageSource, LayerCache, engine_problem, find_layer_cache
from monoyard.install import LocalInterpreters, Tools, Venvs, is_ci
from monoyard.plan import (
    Entries,
    Manifest,
    Plan,
    Reads,
    Selection,
    Sourced,
    Task,
    TaskSource,
    gather,
    make_plan,
    remake_manifests,
)
from monoyard.recall import Memory
from monoyard.suites import CommandWork, LintWork, SuiteSource, TestWork, TypeWork, VenvSpec
from monoyard.workspace import load, take_snapshot


class Engine(Checkout):
    """Everything about one checkout, made when first asked for."""

    @classmethod
    def of(cls, checkout: Checkout) -> Self:
        """Return the engine of a checkout of which something is known: it is not asked again."""
        engine = cls(checkout.directory, checkout.announce, checkout.environment, checkout.look)
        vars(engine).update(vars(checkout))
        return engine

    @cached_property
    def interpreters(self) -> LocalInterpreters:
        """Finds interpreters."""
        return LocalInterpreters()

    @cached_property
    def venvs(self) -> Venvs:
        """Makes venvs."""
        return Venvs(self.kept, self.repository.top, self.announce)

    @cached_property
    def tools(self) -> Tools:
        """Finds and installs tools."""
        return Tools(self.venvs, self.interpreters)

    @property
    def layer_cache(self) -> LayerCache | None:
        """The registry that keeps layers of images; None without images, or where none is named.

        Raises:
            ConfigurationError: It is no address.
        """
        settings = self.workspace.settings
        address = self.environment.get("MONOYARD_IMAGE_CACHE") or settings.images.cache
        return find_layer_cache(
            address,
            self.repository,
            self.event,
            self.environment,
            default_branch=settings.default_branch,
            is_ci=is_ci(self.environment),
        )

    def plan(self, selection: Selection, *, has_engine: bool = False) -> Plan:
        """Make a plan.

        Args:
            selection: What is asked for.
            has_engine: Images get their keys although no container engine may answer here: they
                may be in a registry.
        """
        sources = self._sources(str if has_engine else partial(engine_problem, self.environment))
        return self._make_plan(selection, self.changes(selection.since), sources)

    def plan_of_causes(self, selection: Selection) -> Plan:
        """Make a plan of which nothing is asked but causes, and remember what its tasks read.

        Args:
            selection: What is asked for, without the store.
        """
        changes = self.changes(selection.since)
        sources = self._sources(partial(engine_problem, self.environment))
        if self.look is None or not self.may_recall(changes):
            return self._make_plan(selection, changes, sources)
        with uncollected():
            sourced = gather(sources, self.workspace)
            reads = Reads.of(sourced, self.workspace)
            if reads is not None and self.look.is_settled():
                Memory(self.state).remember_reads(self.look.static, reads.to_bytes())
        return self._make_plan(selection, changes, sources, sourced)

    def _make_plan(
        self,
        selection: Selection,
        changes: Changes,
        sources: tuple[TaskSource, ...],
        known: Sourced | None = None,
    ) -> Plan:
        workspace = self.workspace
        with uncollected():
            return make_plan(
                workspace, changes, sources, self.store, selection, self.event, self._resolve,
                self.workspace_id, during=self.phases.during, known=known,
            )  # fmt: skip

    def look_again(self, plan: Plan, wanted: Container[str]) -> Mapping[str, Manifest]:
        """Return the manifests that tasks of a plan have in the work tree as it is now.

        Args:
            plan: The plan.
            wanted: Ids of tasks; one that is none any more is missing in the answer.

        Raises:
            ConfigurationError: By now the workspace has faults.
        """
        workspace = load(take_snapshot(self.repository, self.store.memo), self.store.memo)
        return remake_manifests(plan, workspace, self._sources(str), wanted, self._resolve)

    def _sources(self, problem_of_images: Callable[[], str]) -> tuple[TaskSource, ...]:
        is_refreshing = self.environment.get("MONOYARD_BASE_LOCK") == "refresh"
        return (
            SuiteSource(self.interpreters, self.environment),
            ImageSource(self.interpreters, problem_of_images, is_refreshing=is_refreshing),
        )

    def _resolve(self, task: Task) -> Entries:
        spec = venv_of(task)
        if spec is None or spec.lock_path or not spec.requirements:
            return ()
        text = self.venvs.resolve(spec)
        pins = (line.partition(" ")[0] for line in text.splitlines())
        return tuple(tuple(pin.split("==", 1)) for pin in pins if "==" in pin)  # type: ignore[misc]


def venv_of(task: Task) -> VenvSpec | None:
    """Return the venv that a task's work names, or None."""
    work = task.work.also if isinstance(task.work, LintWork) else task.work
    return work.venv if isinstance(work, CommandWork | TestWork | TypeWork) else None
