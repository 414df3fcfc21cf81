"""What an admin has set up in the CRM already is proposed as the pack's own: required fields, days of patience."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pipelint.config.nodes import Map, Problems, read_text
from pipelint.connectors.base import FieldInfo
from pipelint.engine.import_rules import CrmRules
from pipelint.engine.init import init
from pipelint.engine.project import open_project
from pipelint.records import Stage
from pipelint.rules.write_yaml import lines

AMOUNT = FieldInfo("value", "Value", "money", feeds="amount", required_in=frozenset({"3"}))
REASON = FieldInfo("0d51a9c2", "Reason to buy", "text", custom=True, required_in=frozenset({"3", "4"}))
RISK = FieldInfo("77aa03c1", "Main risk", "text", custom=True, required_in=frozenset({"1/won"}))
NONE: Mapping[str, str] = {}


@pytest.fixture
def written(tmp_path: Path) -> object:
    """The lines for one of our stages, as they are written."""
    init(tmp_path, "pipedrive")
    project = open_project(tmp_path)
    connection = project.file.connections["sales"]

    def written(natives: Sequence[Stage], asked: str = "", proposed: Mapping[str, str] = NONE) -> list[str]:
        node = read_text(asked, "stages.yaml", Problems()) if asked else None
        rules = CrmRules(project.pack, connection, [AMOUNT, REASON, RISK], proposed)
        told = lines(list(rules.lines(natives, node if isinstance(node, Map) else None, 0)))
        return [" ".join(line.split()) for line in told]

    return written


def test_a_stage_without_demands_gets_no_line(written) -> None:
    assert written([Stage("1", "1")]) == []


def test_required_fields_are_named_as_ours_and_the_rest_is_told(written) -> None:
    assert written([Stage("3", "1")]) == [
        "required: [amount] # pipedrive requires Value",
        "# pipedrive requires here, too: Reason to buy",
    ]


def test_a_field_that_is_proposed_along_with_it_is_required_by_its_new_name(written) -> None:
    assert written([Stage("4", "1")], proposed={"0d51a9c2": "need"}) == [
        "required: [need] # pipedrive requires Reason to buy"
    ]


def test_an_end_that_all_pipelines_share_demands_what_its_own_pipeline_demands(written) -> None:
    assert written([Stage("won", "1")]) == ["# pipedrive requires here, too: Main risk"]
    assert written([Stage("won", "2")]) == []


def test_what_the_pack_requires_at_the_stage_stays(written) -> None:
    [first, *_] = written([Stage("3", "1")], "required: [need, amount]")
    assert first.startswith("required: [need, amount]")


def test_days_of_rotting_become_the_patience_of_the_rule_about_silence(written) -> None:
    assert written([Stage("1", "1", quiet_days=10), Stage("2", "1", quiet_days=30)]) == [
        "settings: {no-activity: {quiet: 10 days, error_after: 20 days}} # as in pipedrive"
    ]
