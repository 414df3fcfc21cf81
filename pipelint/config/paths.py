"""Where a project keeps its files, and how they are named to a person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROJECT_FILE = "pipelint.yaml"


@dataclass(frozen=True, slots=True)
class ProjectPaths:
    """The places of one project; nothing is created before `create` is called."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / PROJECT_FILE

    @property
    def state(self) -> Path:
        return self.folder / ".pipelint"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def lock(self) -> Path:
        return self.state / "lock"

    def create(self) -> None:
        """Make the folder for cache, lock and logs: readable by its owner alone, ignored by git."""
        self.state.mkdir(mode=0o700, exist_ok=True)
        if self.state.stat().st_mode & 0o077:
            self.state.chmod(0o700)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        ignore = self.state / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")


def shown(path: Path, project: Path) -> str:
    """A file as messages name it: seen from the current folder where it lies below, else from the project."""
    absolute = path.absolute()
    for base in (Path.cwd(), project.absolute()):
        if absolute.is_relative_to(base):
            return absolute.relative_to(base).as_posix()
    return absolute.as_posix()
