"""Which pipeline and stage of a pack take those of a CRM."""

from __future__ import annotations

import pytest

from pipelint.rules.native_stages import member_of, pipeline_of
from pipelint.rules.pack import Pack
from tests.rules.ground import pack_of

PACK = """\
stages:
  - {name: discovery, kind: open, group: early}
  - {name: proposal, kind: open, group: late}
pipelines:
  rest: {stages: {discovery: {}, proposal: {from: {files: Angebot}}}}
  other: {stages: {discovery: {}}}
  mapped: {from: {files: [P1, Sales], salesforce: S1}, stages: {discovery: {from: {salesforce: Kick-off}}}}
  elsewhere: {from: {salesforce: S2}, stages: {discovery: {}}}
"""


@pytest.fixture(scope="module")
def pack() -> Pack:
    found, problems = pack_of(PACK)
    assert found is not None, problems.found
    return found


@pytest.mark.parametrize(
    ("spoken", "pipeline"),
    [
        ({"p1", "key accounts"}, "mapped"),  # by its id
        ({"17", "sales"}, "mapped"),  # by its label
        ({"other"}, "other"),  # called so
        ({"other", "sales"}, "mapped"),  # what 'from:' names goes before a name that is alike
        ({"elsewhere"}, "elsewhere"),  # this CRM has no name for it, so its own counts
        ({"s1"}, "rest"),  # the name that another CRM has for it says nothing
        (set(), "rest"),
    ],
)
def test_a_pipeline_is_taken_by_its_name_or_by_the_one_without_names(
    spoken: set[str], pipeline: str, pack: Pack
) -> None:
    found = pipeline_of(pack, spoken, "files", "acme")
    assert found is not None
    assert found.name == pipeline


@pytest.mark.parametrize(
    ("pipeline", "spoken", "stage"),
    [
        (0, {"angebot"}, "proposal"),
        (0, {"proposal"}, None),  # the CRM has another name for it
        (0, {"discovery"}, "discovery"),
        (2, {"discovery"}, None),  # mapped for another CRM, so it is not called so here
        (2, {"kick-off"}, None),
    ],
)
def test_a_stage_is_taken_by_its_name(pipeline: int, spoken: set[str], stage: str | None, pack: Pack) -> None:
    found = member_of(pack.pipelines[pipeline], spoken, "files", "acme")
    assert (found.stage.name if found else None) == stage
