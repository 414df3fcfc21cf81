"""The rules that pipelint makes itself: placeholders, doubles; and how a pack changes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.records import FieldChange, Opportunity, StageChange, Stream
from pipelint.rules.supply import Delivered

from .judged import AS_OF, judged, outcomes, sound, stored

OPPORTUNITIES, FIELD_CHANGES, STAGE_CHANGES = Stream.OPPORTUNITIES, Stream.FIELD_CHANGES, Stream.STAGE_CHANGES
FIELDS = (
    "fields: {need: {from: {files: Need}}, budget: {from: {files: Budget}}, risk: {from: {files: Risk}}}\n"
)
CUSTOM = {OPPORTUNITIES: ("Need", "Budget", "Risk")}


@pytest.fixture
def cache() -> Iterator[Cache]:
    with Cache.open(":memory:") as opened:
        yield opened


# thin-evidence

TEXTS = [
    ("Two plants and one system", False),
    ("test", True),
    ("TEST", True),
    (" Test ", True),
    ("a test of two plants", False),
    ("à compléter", True),
    ("A\u0300 COMPLÉTER", True),  # the accent as a sign of its own
    ("tbd", True),
    ("...", True),
    ("x", True),
    ("aaaa", True),
    ("aA", True),
    ("ab", False),
    ("", False),
    ("   ", False),
    ("maybe later", True),
    (None, False),
]


@pytest.mark.parametrize(("text", "thin"), TEXTS)
def test_a_text_says_nothing(tmp_path: Path, cache: Cache, text: str | None, thin: bool) -> None:
    pack = sound(tmp_path, "pack: {blank_words: [maybe later]}\n" + FIELDS)
    deal = Opportunity("a", AS_OF, stage="early", custom={"Need": text})
    found = judged(cache, pack, stored(cache, {OPPORTUNITIES: [deal]}, CUSTOM)).get("a", {})
    assert ("thin-evidence" in found) is thin
    if thin:
        finding = found["thin-evidence"]
        assert (finding.severity, finding.items, finding.message) == (
            "info",
            ("need",),
            "Says nothing: need.",
        )
        assert [(each.field, each.test) for each in finding.evidence] == [("need", "says nothing")]


def test_each_field_is_an_item_and_only_open_opportunities_are_looked_at(
    tmp_path: Path, cache: Cache
) -> None:
    pack = sound(tmp_path, FIELDS)
    custom = {"Need": "test", "Budget": "50k", "Risk": "???"}
    deals = [
        Opportunity(stage, AS_OF, stage=stage, custom=custom, next_step="tbd") for stage in ("early", "won")
    ]
    found = judged(cache, pack, stored(cache, {OPPORTUNITIES: deals}, CUSTOM))
    assert found["early"]["thin-evidence"].items == ("need", "risk", "next_step")
    assert "thin-evidence" not in found.get("won", {})


def test_a_field_that_is_not_mapped_is_not_thin(tmp_path: Path, cache: Cache) -> None:
    pack = sound(tmp_path, "")
    said = stored(cache, {OPPORTUNITIES: [Opportunity("a", AS_OF, stage="early", custom={"Need": "x"})]})
    assert outcomes(cache, pack, said, "thin-evidence") == {}


def test_what_a_stage_requires_and_what_a_framework_declares_is_looked_at_too(
    tmp_path: Path, cache: Cache
) -> None:
    pack = sound(
        tmp_path,
        "uses: [spiced@1]\n"
        "fields: {impact: {from: {files: Need}}, plan: {type: text, from: {files: Budget}},"
        " other: {type: text, from: {files: Risk}}}\n"
        "pipelines: {more: {from: {files: more}, stages: {early: {required: [plan, amount]}}}}",
    )
    custom = {"Need": "x", "Budget": "x", "Risk": "x"}
    said = stored(cache, {OPPORTUNITIES: [Opportunity("a", AS_OF, stage="early", custom=custom)]}, CUSTOM)
    assert set(judged(cache, pack, said)["a"]["thin-evidence"].items) == {"impact", "plan"}


def test_words_severity_and_status_can_be_overridden(tmp_path: Path, cache: Cache) -> None:
    deals = [Opportunity(word, AS_OF, stage="early", next_step=word) for word in ("test", "dito", "xx")]
    said = stored(cache, {OPPORTUNITIES: deals})
    for override, expected in (
        ("{}", {"test": "flagged", "xx": "flagged"}),
        ("{settings: {words: [dito]}}", {"dito": "flagged", "xx": "flagged"}),
        ("{status: trial}", {"test": "trial", "xx": "trial"}),
        ("{status: off}", {}),
    ):
        pack = sound(tmp_path, f"overrides: {{thin-evidence: {override}}}")
        assert outcomes(cache, pack, said, "thin-evidence") == expected, override
    pack = sound(tmp_path, "overrides: {thin-evidence: {severity: error}}")
    assert judged(cache, pack, said)["xx"]["thin-evidence"].severity == "error"
    pack = sound(tmp_path, "overrides: {thin-evidence/next_step: {status: off}}")
    assert outcomes(cache, pack, said, "thin-evidence") == {}


MOVED = datetime(2026, 11, 10, 9, tzinfo=UTC)


def filled_in(
    cache: Cache, seconds: dict[str, int], *, origin: str = "crm", first: bool = False, old: str | None = None
) -> Delivered:
    """An opportunity whose fields were filled so many seconds after it moved."""
    custom = dict.fromkeys((name.title() for name in seconds if name != "next_step"), "Something")
    step = "Call" if "next_step" in seconds else None
    deal = Opportunity("a", AS_OF, stage="late", next_step=step, custom=custom)
    changes = [
        FieldChange(
            name, "opportunity", "a", name, old, "Something", MOVED + timedelta(seconds=by), origin=origin
        )
        for name, by in seconds.items()
    ]
    move = StageChange("m", "a", None if first else "early", "late", MOVED)
    return stored(cache, {OPPORTUNITIES: [deal], FIELD_CHANGES: changes, STAGE_CHANGES: [move]}, CUSTOM)


AT_ONCE = [
    ("all within a minute", {"need": 0, "budget": 60, "risk": -60}, {}, True),
    ("one a second later", {"need": 0, "budget": 61}, {}, False),
    ("one alone proves nothing", {"need": 0}, {}, False),
    ("standard fields as well", {"need": 10, "next_step": 20}, {}, True),
    ("seen by pipelint, not told by the CRM", {"need": 0, "budget": 0}, {"origin": "observed"}, False),
    ("when it was created", {"need": 0, "budget": 0}, {"first": True}, False),
    ("changed, not filled", {"need": 0, "budget": 0}, {"old": "Before"}, False),
]


@pytest.mark.parametrize(("seconds", "how", "flagged"), [a[1:] for a in AT_ONCE], ids=[a[0] for a in AT_ONCE])
def test_everything_filled_at_once_is_thin(
    tmp_path: Path, cache: Cache, seconds: dict[str, int], how: dict[str, object], flagged: bool
) -> None:
    said = filled_in(cache, seconds, **how)  # type: ignore[arg-type]
    found = judged(cache, sound(tmp_path, FIELDS), said).get("a", {})
    assert ("thin-evidence" in found) is flagged
    if flagged:
        assert found["thin-evidence"].message == "Says nothing: stage change."


def test_a_history_may_call_a_field_as_the_crm_does(tmp_path: Path, cache: Cache) -> None:
    said = filled_in(cache, {"Need": 0, "Budget": 0})
    assert outcomes(cache, sound(tmp_path, FIELDS), said, "thin-evidence") == {"a": "flagged"}


# duplicate-open-opportunities


def deal(
    name: str, amount: int | None = 100, account: str | None = "globex", days: int = 0, stage: str = "early"
) -> Opportunity:
    number = None if amount is None else Decimal(amount)
    created = MOVED - timedelta(days=days)
    return Opportunity(name, AS_OF, amount=number, account=account, created_at=created, stage=stage)


PAIRS = [
    ("alike", deal("b"), True),
    ("ten per cent more", deal("b", 110), True),
    ("more than that", deal("b", 111), False),
    ("ten per cent less", deal("b", 90), True),
    ("less than that", deal("b", 89), False),
    ("ninety days before", deal("b", days=90), True),
    ("longer before", deal("b", days=91), False),
    ("ninety days after", deal("b", days=-90), True),
    ("another account", deal("b", account="initech"), False),
    ("no account", deal("b", account=None), False),
    ("no amount", deal("b", None), False),
    ("closed", deal("b", stage="won"), False),
    ("in a stage that nobody maps", deal("b", stage="limbo"), False),
]


@pytest.mark.parametrize(("other", "flagged"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS])
def test_two_opportunities_of_an_account_are_alike(
    tmp_path: Path, cache: Cache, other: Opportunity, flagged: bool
) -> None:
    found = judged(cache, sound(tmp_path, ""), stored(cache, {OPPORTUNITIES: [deal("a"), other]}))
    assert ("duplicate-open-opportunities" in found.get("a", {})) is flagged
    if flagged:
        finding = found["a"]["duplicate-open-opportunities"]
        assert (finding.severity, finding.items) == ("warning", ("b",))
        assert finding.message.endswith("created around the same time as b.")


def test_every_other_one_is_an_item(tmp_path: Path, cache: Cache) -> None:
    deals = [deal(name) for name in ("a_1", "b_2", "c_3")] + [deal("d", stage="won")]
    found = judged(cache, sound(tmp_path, ""), stored(cache, {OPPORTUNITIES: deals}))
    finding = found["b_2"]["duplicate-open-opportunities"]
    assert finding.items == ("a_1", "c_3")
    assert finding.message.endswith("as a_1, c_3.")
    assert "d" not in found


def test_two_without_an_account_are_not_alike(tmp_path: Path, cache: Cache) -> None:
    deals = [deal("a", account=None), deal("b", account=None)]
    found = outcomes(
        cache, sound(tmp_path, ""), stored(cache, {OPPORTUNITIES: deals}), "duplicate-open-opportunities"
    )
    assert found == {}


@pytest.mark.parametrize("name", ["account", "amount", "created_at"])
def test_without_the_data_doubles_could_not_be_checked(tmp_path: Path, cache: Cache, name: str) -> None:
    said = stored(cache, {OPPORTUNITIES: [deal("a"), deal("b")]}, without={OPPORTUNITIES: frozenset({name})})
    found = judged(cache, sound(tmp_path, ""), said)["a"]["duplicate-open-opportunities"]
    assert (found.status, found.keeps) == ("could_not_check", True)


def test_amounts_in_several_currencies_are_compared_in_the_pack_s(tmp_path: Path, cache: Cache) -> None:
    (tmp_path / "rates.csv").write_text("currency,from,rate\nEUR,,2\n", encoding="utf-8")
    euros = deal("b", 50)._replace(currency="EUR")
    unknown = deal("c", 100)._replace(currency="PLN")
    said = stored(cache, {OPPORTUNITIES: [deal("a"), euros, unknown]})
    pack = sound(tmp_path, "currency: {to: USD, rates: rates.csv}")
    found = outcomes(cache, pack, said, "duplicate-open-opportunities")
    assert found == {"a": "flagged", "b": "flagged", "c": "could_not_check"}


def test_how_many_doubles_are_too_many_can_be_overridden(tmp_path: Path, cache: Cache) -> None:
    said = stored(cache, {OPPORTUNITIES: [deal("a"), deal("b")]})
    pack = sound(tmp_path, "overrides: {duplicate-open-opportunities: {settings: {others: 2}}}")
    assert outcomes(cache, pack, said, "duplicate-open-opportunities") == {}


def test_a_pack_counts_the_account_s_other_opportunities_itself(tmp_path: Path, cache: Cache) -> None:
    pack = sound(
        tmp_path,
        """\
facts:
  won_before:
    count: account_opportunities
    where: {stage_kind: won, stage_group: blank, created_at: {before: {field: record.created_at}}}
  last_step: {last: account_opportunities.next_step}
  largest: {sum: account_opportunities.amount}
rules:
  shown: {flag_when: {stage_kind: open}, severity: info, message: "{won_before}, {last_step}, {largest}"}
""",
    )
    others = [
        deal("b", 5, days=9, stage="won")._replace(next_step="Renew"),
        deal("c", 7, days=20, stage="won"),
    ]
    said = stored(cache, {OPPORTUNITIES: [deal("a"), *others, deal("d", account="initech", stage="won")]})
    assert judged(cache, pack, said)["a"]["shown"].message == "2, Renew, 12"
