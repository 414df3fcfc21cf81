"""Where a project keeps its files, and how they are named to a person."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pipelint.errors import CacheUnusable

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
        """Make the folder for cache, lock and logs: readable by its owner alone, ignored by git.

        Raises:
            CacheUnusable: this user may not write here, or the disk is full.
        """
        try:
            self.state.mkdir(mode=0o700, exist_ok=True)
            if self.state.stat().st_mode & 0o077 and _ours(self.state):
                self.state.chmod(0o700)
            self.logs.mkdir(mode=0o700, exist_ok=True)
            ignore = self.state / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise CacheUnusable(
                f"{error.filename or self.state} cannot be made or opened: {error.strerror}",
                hint="give this user the right to write to the project's folder and its .pipelint",
            ) from None


def _ours(path: Path) -> bool:
    return sys.platform != "win32" and path.stat().st_uid == os.geteuid()


def shown(path: Path, project: Path) -> str:
    """A file as messages name it: seen from the current folder where it lies below, else from the project."""
    absolute = path.absolute()
    for base in (Path.cwd(), project.absolute()):
        if absolute.is_relative_to(base):
            return absolute.relative_to(base).as_posix()
    return absolute.as_posix()
