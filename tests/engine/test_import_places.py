"""A CRM's stages find their place among the pack's own: by name, by flag, by neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from pipelint.config.nodes import Problems
from pipelint.engine.import_places import NativePipeline, place, words
from pipelint.engine.init import init
from pipelint.records import Stage
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder = tmp_path_factory.mktemp("six")
    init(folder)
    pack = load_pack(folder / "rules", "rules", Problems())
    assert pack is not None
    return pack


def ladder(*names: str, chances: Sequence[int] = (), off: Sequence[str] = ()) -> NativePipeline:
    """Open stages with these labels, then a won and a lost one."""
    known = [
        Stage(
            name,
            "p",
            name,
            at,
            True,
            False,
            Decimal(chances[at]) if chances else None,
            active=name not in off,
        )
        for at, name in enumerate(names)
    ]
    closed = [Stage("W", "p", "Signed", 90, False, True), Stage("L", "p", "Gone", 91, False, False)]
    return NativePipeline("p", "P", (*known, *closed))


def places(pipeline: NativePipeline, pack: Pack) -> list[tuple[str, str]]:
    found = place(pipeline, pack, "hubspot", "acme")
    return [(each.stage.name if each.stage else "-", each.basis) for each in found]


def test_flags_tell_won_and_lost(six: Pack) -> None:
    assert places(ladder(), six) == [("won", "flag"), ("lost", "flag")]


@pytest.mark.parametrize("name", ["Prospecting", "PROSPECTING", "prospecting__c", "appointmentscheduled"])
def test_a_name_of_ours_or_of_a_crm_is_known_in_any_spelling(name: str, six: Pack) -> None:
    assert places(ladder("A", name, "B"), six)[1] == ("prospecting", "name")


def test_a_name_that_holds_a_name_of_ours_is_a_guess(six: Pack) -> None:
    found = place(ladder("Proposal sent"), six, "hubspot", "acme")[0]
    assert found.stage is not None
    assert (found.stage.name, found.guessed) == ("proposal", True)


def test_stages_with_strange_names_are_spread_over_ours(six: Pack) -> None:
    assert places(ladder("A", "B", "C"), six)[:3] == [
        ("prospecting", "place"),
        ("discovery", "place"),
        ("closing", "place"),
    ]


def test_strange_names_stay_between_those_that_are_known(six: Pack) -> None:
    assert [name for name, _ in places(ladder("A", "Discovery", "B", "C", "Proposal", "D"), six)[:6]] == [
        "prospecting", "discovery", "discovery", "proposal", "proposal", "closing",
    ]  # fmt: skip


def test_a_closed_stage_is_not_taken_for_an_open_one_by_its_name(six: Pack) -> None:
    lost = Stage("Proposal", "p", "Proposal", 5, False, False)
    assert places(NativePipeline("p", "P", (lost,)), six) == [("lost", "flag")]


def test_a_stage_that_was_switched_off_is_placed_by_its_probability(six: Pack) -> None:
    pipeline = ladder("Qualification", "Negotiation/Review", "Old", chances=(10, 90, 50), off=["Old"])
    assert [name for name, _ in places(pipeline, six)[:3]] == ["qualification", "negotiation", "discovery"]


def test_without_flags_the_words_tell(six: Pack) -> None:
    pipeline = NativePipeline(
        "p", "P", tuple(Stage(name, "p") for name in ("Gagnée", "Closed - lost", "Contact"))
    )
    assert [name for name, _ in places(pipeline, six)] == ["won", "lost", "prospecting"]


def test_accents_case_and_camels_make_no_difference() -> None:
    assert words("needsAnalysis__c") == words("Needs Analysis") == ("needs", "analysis")
    assert words("Décideurs  clés") == ("decideurs", "cles")
