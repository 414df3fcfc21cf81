"""`stages import` reads the stages of exported files out of their opportunities."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelint.engine.commands import pull_all
from pipelint.engine.import_stages import propose, write
from pipelint.engine.init import init
from pipelint.engine.project import Project, open_project
from pipelint.engine.provision import unmapped_stages
from pipelint.errors import UsageError
from tests.engine.importing import edit, stages_of


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Project]:
    """A project that reads a CSV file with these lines."""

    def make(*rows: str) -> Project:
        init(tmp_path, "files")
        (tmp_path / "exports").mkdir()
        (tmp_path / "exports" / "opportunities.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        settings = (tmp_path / "pipelint.yaml").read_text(encoding="utf-8")
        settings = re.sub(r"columns: {.*}", "columns: {stage: phase}", settings)
        (tmp_path / "pipelint.yaml").write_text(settings, encoding="utf-8")
        return open_project(tmp_path)

    return make


def test_files_offer_the_stages_of_their_opportunities(files: Callable[..., Project], tmp_path: Path) -> None:
    project = files("id,phase,besoin", "1,Prospecting,x", "2,Verhandlung,y", "3,Gewonnen,z", "4,Gewonnen,")
    proposal = propose(project, "sales")
    write(project, proposal)
    assert stages_of(open_project(tmp_path), "sales-files") == {
        "prospecting": ("Prospecting",),
        "closing": ("Verhandlung",),
        "won": ("Gewonnen",),
    }
    assert "from: {sales: besoin}" in proposal.content
    assert proposal.steps == (
        "give the records a pipeline, since they name none: in pipelint.yaml, under sales:"
        " streams: opportunities: write constants: {pipeline: sales-files}",
    )


def test_with_the_pipeline_in_place_every_stage_of_a_file_is_mapped(
    files: Callable[..., Project], tmp_path: Path
) -> None:
    project = files("id,phase", "1,Prospecting", "2,Gewonnen")
    write(project, propose(project, "sales"))
    edit(
        tmp_path / "pipelint.yaml",
        "{stage: phase}",
        "{stage: phase}\n        constants: {pipeline: sales-files}",
    )
    project = open_project(tmp_path)
    pull_all(project)
    with project.cache() as cache:
        (connection,) = project.connections()
        assert [found.level for found in unmapped_stages(cache, project, connection)] == ["ok"]


def test_where_the_pack_knows_all_there_is_nothing_to_import(
    files: Callable[..., Project], tmp_path: Path
) -> None:
    files("id,phase", "1,Lead in", "2,Signed")
    edit(
        tmp_path / "rules" / "stages.yaml",
        "          salesforce: Prospecting\n",
        "          files: Lead in\n",
    )
    edit(tmp_path / "rules" / "stages.yaml", "{salesforce: Closed Won,", "{files: Signed,")
    project = open_project(tmp_path)
    proposal = propose(project, "sales")
    assert not proposal.content
    assert write(project, proposal).startswith(
        "Nothing to import: the pack maps the stages of 'sales' already.\nnote: no field of the CRM"
    )
    assert proposal.text.startswith("# Nothing to import")
    assert sorted(path.name for path in (tmp_path / "rules").iterdir()) == ["pack.yaml", "stages.yaml"]


def test_a_stage_that_a_nameless_pipeline_lacks_belongs_into_the_packs_own(
    files: Callable[..., Project], tmp_path: Path
) -> None:
    files("id,phase", "1,Lead in", "2,Closed - lost")
    edit(
        tmp_path / "rules" / "stages.yaml",
        "          salesforce: Prospecting\n",
        "          files: Lead in\n",
    )
    project = open_project(tmp_path)
    assert write(project, propose(project, "sales")).splitlines()[:2] == [
        "No file is needed for 'sales', only lines in yours:",
        "note: the pipeline 'sales' (rules/stages.yaml:39:3) lacks a stage of the CRM; "
        "write at its stage lost: from: {sales: Closed - lost}",
    ]


def test_a_file_without_a_stage_column_is_explained(files: Callable[..., Project], tmp_path: Path) -> None:
    files("id,name", "1,Deal")
    edit(tmp_path / "pipelint.yaml", "{stage: phase}", "{}")
    with pytest.raises(UsageError, match="'sales' delivers no stages") as error:
        propose(open_project(tmp_path), "sales")
    assert "columns: {stage: …}" in error.value.hint


def test_a_pack_without_stages_is_explained(files: Callable[..., Project], tmp_path: Path) -> None:
    files("id,phase", "1,Prospecting")
    (tmp_path / "rules" / "stages.yaml").write_text("pipelint: 1\n")
    with pytest.raises(UsageError, match="the pack has no stages of its own"):
        propose(open_project(tmp_path), "sales")
