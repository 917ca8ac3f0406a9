"""What a package's suites read of settings files that lie outside of the package."""

from __future__ import annotations

from functools import cached_property

from monoyard.plan import Entries
from monoyard.suites import tool_settings
from monoyard.suites.inherited_settings import InheritedSettings
from monoyard.suites.tool_settings import ToolFiles, find_settings, settings_entries
from monoyard.workspace import Package, Workspace


class SettingsRead:
    """Tells the part of keys that settings files make; each file is read once.

    Args:
        workspace: The workspace.
        home: Home directory of whoever runs tasks, or empty.

    Attributes:
        covered: Files told so far, whose change is therefore one for those who read them alone.
    """

    def __init__(self, workspace: Workspace, home: str) -> None:
        self._workspace = workspace
        self._home = home
        self._inherited = InheritedSettings(workspace)
        self._settings: dict[tuple[str, str], Entries] = {}
        self._for_commands: dict[str, Entries] = {}
        self.covered: set[str] = set()

    def of_tool(self, package: Package, tool: ToolFiles) -> Entries:
        """Return what a tool is told by a file that the package does not own."""
        path = find_settings(self._workspace, package, tool)
        if not path or self._workspace.owner(path) == package.name:
            return ()
        self.covered.add(path)
        if (path, tool.table) not in self._settings:
            self._settings[path, tool.table] = settings_entries(self._workspace, path, tool)
        return self._settings[path, tool.table]

    def of_commands(self, package: Package) -> Entries:
        """Return what any command may be told by files above the package."""
        above = package.directory.rpartition("/")[0]
        if above not in self._for_commands:
            found = tool_settings.entries_for_commands(self._workspace, above)
            self._for_commands[above] = found
        return self._for_commands[above]

    def of_lint(self, package: Package) -> tuple[Entries, tuple[str, ...]]:
        """Return what ruff is told by files that the package does not own, inherited ones too.

        The second value are those of them whose change is no change of settings by their names.
        """
        path = find_settings(self._workspace, package, tool_settings.RUFF)
        if not path:  # ruff is started at the root, and asks the user last
            return (*self._inherited.python("pyproject.toml"), *self._at_home), ()
        links, unfollowed = self._inherited.links(path)
        found: list[tuple[str, str]] = []
        files = []
        for link in links:
            owner = self._workspace.owner(link)
            if owner == package.name and link in self._workspace.tree.entries:
                continue
            # Elsewhere it may be read by commands too, so that it counts for everybody.
            if tool_settings.is_above(link, package, tool_settings.RUFF):
                self.covered.add(link)
            if owner is not None and not link.endswith(".toml"):
                files.append(link)
            found.extend(self._inherited.entries(link))
        found.extend([("extend", unfollowed)] if unfollowed else [])
        return tuple(found), tuple(files)

    @cached_property
    def _at_home(self) -> Entries:
        return tool_settings.ruff_settings_at_home(self._home)
