"""Where a project keeps its files."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipelint.config.paths import ProjectPaths, shown


def test_the_state_folder_is_its_owners_alone_and_unknown_to_git(tmp_path: Path) -> None:
    paths = ProjectPaths(tmp_path)
    paths.state.mkdir(mode=0o755)
    paths.create()
    paths.create()
    assert stat.S_IMODE(paths.state.stat().st_mode) == 0o700
    assert stat.S_IMODE(paths.logs.stat().st_mode) == 0o700
    assert (paths.state / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert paths.lock.parent == paths.state


def test_files_are_named_from_where_the_person_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "acme"
    (tmp_path / "elsewhere").mkdir()
    file = project / "rules" / "a.yaml"
    monkeypatch.chdir(tmp_path)
    assert shown(file, project) == "acme/rules/a.yaml"
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert shown(file, project) == "rules/a.yaml"
    assert shown(Path("/other/b.yaml"), project) == "/other/b.yaml"
