"""Scores as rules.md §4.10 states them: read with good messages, worked out in SQLite as by hand."""

# ruff: noqa: E501 - a table of cases has one case a line
from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelint.config.nodes import List, Map, Problems, Text, read_text
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import source_of
from pipelint.engine.evaluate import Outcome, evaluate
from pipelint.engine.explain_scores import explain_scores
from pipelint.engine.scores import Score, scores
from pipelint.engine.source import rows_of
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.messages import Reader
from pipelint.rules.pack import Pack
from tests.rules.ground import Given, given_of, pack_of, store

AS_OF = datetime(2026, 11, 20, 10, tzinfo=ZoneInfo("America/New_York"))
EXAMPLE = Path(__file__).parents[3] / "shared" / "design" / "example-pack"
BASE = """
stages:
  - {name: discovery, kind: open, group: early}
  - {name: evaluation, kind: open, group: mid}
  - {name: won, kind: won}
pipelines:
  sales: {stages: {discovery: {}, evaluation: {}, won: {}}}
pack: {blank_words: [tbd], time_zone: America/New_York, languages: [en, fr]}
fields:
  champion: {type: text, from: {files: champion}}
  budget_confirmed: {type: yes_no, from: {files: budget_ok}}
  account.tier: {type: choice, values: {strategic: {}, growth: {}, long tail: {}}, from: {files: tier}}
conditions:
  open: {stage_kind: open}
"""


def node_of(text: str) -> Map:
    found = read_text(text, "test.yaml", Problems())
    assert isinstance(found, Map), text
    return found


def sound(text: str) -> Pack:
    pack, problems = pack_of(BASE + text)
    assert pack is not None, [(str(p.place), p.what) for p in problems.found]
    return pack


def row_of(pack: Pack, given_: Given) -> dict[str, Any]:
    with Cache.open(":memory:") as cache:
        source = source_of(cache, pack, given_.kind, store(cache, pack, "acme", [given_]), AS_OF)
        return dict(rows_of(cache, source.table, [given_.id])[given_.id])


def scored(pack: Pack, record: str, kind: RecordKind = "opportunity", language: str = "en") -> list[Score]:
    made = given_of(pack, "a", node_of(record), kind)
    with Cache.open(":memory:") as cache:
        source = source_of(cache, pack, kind, store(cache, pack, "acme", [made]), AS_OF)
        return list(scores(cache, source, language=language, ages=False))


# The example of the design


def example_cases() -> Iterator[Any]:
    file = EXAMPLE / "tests.yaml"
    if not file.exists():
        return
    tests = node_of(file.read_text(encoding="utf-8")).get("tests")
    assert isinstance(tests, List)
    for test in tests.items:
        assert isinstance(test, Map)
        expect = test.get("expect")
        if isinstance(expect, Map) and (expected := expect.get("scores")) is not None:
            name = test.get("name")
            yield pytest.param(test, expected, id=name.value if isinstance(name, Text) else "")


@pytest.mark.parametrize(("test", "expected"), tuple(example_cases()))
def test_the_example_packs_score_cases(test: Map, expected: Map) -> None:
    text = (EXAMPLE / "scores.yaml").read_text(encoding="utf-8").replace("pipelint: 1", "")
    pack = sound(text)
    record = test.get("opportunity")
    activities = test.get("activities")
    assert isinstance(record, Map)
    assert activities is not None
    key = Text("activities", test.place)
    made = given_of(pack, "a", Map((*record.entries, (key, activities)), record.place))
    with Cache.open(":memory:") as cache:
        source = source_of(cache, pack, "opportunity", store(cache, pack, "acme", [made]), AS_OF)
        (score,) = scores(cache, source, language="en", ages=False)
    wanted = expected.get("deal-quality")
    assert isinstance(wanted, Map)
    for name, value in wanted.entries:
        if isinstance(value, List):
            assert [item.value for item in value.items if isinstance(item, Text)] == list(score.not_known)
        elif isinstance(value, Text):
            told = {"total": score.total, "grade": score.grade, **score.categories}
            assert str(told[name.value]) == value.value, name.value


# One idea at a time (rules.md §4.10)

PLAIN = """
scores:
  quality:
    categories: {{fit: {{max: 40}}}}
    points:
      - {{name: it, category: fit, {item}}}
"""


@pytest.mark.parametrize(
    ("item", "record", "points"),
    [
        ("points: 7, when: {amount: {at_least: 10}}", "{amount: 10}", "7"),
        ("points: 7, when: {amount: {at_least: 10}}", "{amount: 9}", "0"),
        ("points: 7, when: {amount: {at_least: 10}}", "{stage: won}", None),
        ("points: -7, when: {amount: {at_least: 10}}", "{amount: 10}", "-7"),
        ("points: 0.5, when: {amount: {at_least: 10}}", "{amount: 10}", "0.5"),
        ("points: 7, when: {amount: {at_least: 10, if_blank: yes}}", "{stage: won}", "7"),
        # An unknown band stops the search: a lower one is not taken for the truth.
        (
            "first_match: [{when: {amount: {at_least: 10}}, points: 9}, {when: {name: present}, points: 3}]",
            "{name: x}",
            None,
        ),
        (
            "first_match: [{when: {name: {contains: y}}, points: 9}, {when: {name: present}, points: 3}]",
            "{name: x}",
            "3",
        ),
        ("points: 2, for_each: activities", "{activities: [{type: call}, {type: note}]}", "4"),
        ("points: 2, for_each: activities, max: 3", "{activities: [{type: call}, {type: note}]}", "3"),
        ("points: -2, for_each: activities, max: -3", "{activities: [{type: call}, {type: note}]}", "-3"),
        ("points: 2, for_each: activities, where: {type: call}", "{activities: [{type: call}, {type: note}]}", "2"),
        ("points: 2, for_each: activities", "{name: x}", "0"),
        ("points: 2, for_each: activities", "{activities: not synced}", None),
        # Full today, nothing from the end of the span on, nothing for the future, half in the middle.
        ("points: 8, for_each: activities, fades_over: 10 days", "{activities: [{happened_at: 2026-11-20 01:00}]}", "8"),
        ("points: 8, for_each: activities, fades_over: 10 days", "{activities: [{happened_at: 2026-11-15 01:00}]}", "4"),
        ("points: 8, for_each: activities, fades_over: 10 days", "{activities: [{happened_at: 2026-11-11 01:00}]}", "0.8"),
        ("points: 8, for_each: activities, fades_over: 10 days", "{activities: [{happened_at: 2026-11-10 01:00}]}", "0"),
        ("points: 8, for_each: activities, fades_over: 10 days", "{activities: [{happened_at: 2026-11-21 01:00}]}", "0"),
        ("points: 8, for_each: activities, fades_over: 10 days", "{activities: [{type: call}]}", "0"),
        # Divided once, half up at four places: 1 × (3 - 1) / 3.
        ("points: 1, for_each: activities, fades_over: 3 days", "{activities: [{happened_at: 2026-11-19 09:00}]}", "0.6667"),
        # A history that begins too late: unknown until nothing more can be added.
        (
            "points: 2, for_each: field_changes, where: {field: close_date}",
            "{field_changes: {complete_since: 2026-11-01, rows: [{field: close_date, at: 2026-11-02 09:00}]}}",
            None,
        ),
        (
            "points: 2, for_each: field_changes, where: {field: close_date}, max: 2",
            "{field_changes: {complete_since: 2026-11-01, rows: [{field: close_date, at: 2026-11-02 09:00}]}}",
            "2",
        ),
        (
            "points: 2, for_each: field_changes, where: {field: close_date}, fades_over: 10 days",
            "{field_changes: {complete_since: 2026-11-01, rows: [{field: close_date, at: 2026-11-15 09:00}]}}",
            "1",
        ),
    ],
)  # fmt: skip
def test_what_an_item_gives(item: str, record: str, points: str | None) -> None:
    pack = sound(PLAIN.format(item=item))
    given_ = row_of(pack, given_of(pack, "a", node_of(record)))["score.quality/item/it"]
    assert (None if given_ is None else Decimal(given_) / 10_000) == (
        None if points is None else Decimal(points)
    )


WHOLE = """
scores:
  quality:
    applies_to: open
    categories: {fit: {max: 10}, cost: {min: -5, max: 0}}
    points:
      - {name: rich, category: fit, points: 8.3, when: {amount: {at_least: 10}}, because: "worth {amount}"}
      - {name: named, category: fit, points: 4.2, when: {name: present}}
      - {name: moved, category: cost, points: -9, when: {close_date_pushes: {at_least: 1}}, because: {en: moved, fr: repoussée}}
    cap:
      - {when: {next_step: blank}, at: 6, because: no next step}
      - {when: {owner.id: blank}, at: 4}
      - {when: {account.employees: {less_than: 5}}, at: 2}
    grades: {A: 8, B: 4, C: 0}
rules:
  weak: {title: weak, flag_when: {score.quality: {less_than: 5}}, severity: info, message: "{score.quality} points"}
"""


@pytest.mark.parametrize(
    ("record", "total", "grade", "reasons"),
    [
        # A category is held between its ends; the rest is one sum.
        ("{stage: discovery, amount: 10, name: x, next_step: x, owner.id: o}", 10, "A", ["worth 10", "named"]),
        ("{stage: discovery, amount: 10, next_step: x, owner.id: o}", 8, "A", ["worth 10"]),
        # Rounded once at the end, half up.
        ("{stage: discovery, amount: 1, name: x, next_step: x, owner.id: o}", 4, "B", ["named"]),
        # The lowest cap that definitely holds; an unknown one is passed over.
        ("{stage: discovery, amount: 10, name: x, owner.id: o}", 6, "B", ["worth 10", "named", "no next step"]),
        ("{stage: discovery, amount: 10, name: x}", 4, "B", ["worth 10", "named", "at most 4"]),
        # The last grade takes what lies below it.
        (
            "{stage: discovery, amount: 1, next_step: x, owner.id: o, field_changes: "
            "[{field: close_date, old: 2026-11-01, new: 2026-12-01, at: 2026-10-10 09:00}]}",
            -5, "C", ["moved"],
        ),
    ],
)  # fmt: skip
def test_a_total_is_held_capped_rounded_and_graded(
    record: str, total: int, grade: str, reasons: list[str]
) -> None:
    (score,) = scored(sound(WHOLE), record)
    assert (score.total, score.grade, list(score.reasons)) == (total, grade, reasons)


def test_out_of_scope_there_is_no_score() -> None:
    assert scored(sound(WHOLE), "{stage: won, amount: 10}") == []


def test_reasons_speak_the_language_asked_for() -> None:
    changes = "[{field: close_date, old: 2026-11-01, new: 2026-12-01, at: 2026-10-10 09:00}]"
    (score,) = scored(sound(WHOLE), f"{{stage: discovery, field_changes: {changes}}}", language="fr")
    assert "repoussée" in score.reasons


def test_rules_read_the_total_and_a_scope_that_is_not_synced_could_not_be_checked() -> None:
    pack = sound(WHOLE)
    expected = {
        "{stage: discovery, amount: 1}": Outcome.FLAGGED,
        "{stage: discovery, amount: 10, next_step: x, owner.id: o}": None,
        "{stage: won}": Outcome.BLANK,
        "{stage: not synced}": Outcome.UNSYNCED,
    }
    for record, outcome in expected.items():
        made = given_of(pack, "a", node_of(record))
        with Cache.open(":memory:") as cache:
            source = source_of(cache, pack, "opportunity", store(cache, pack, "acme", [made]), AS_OF)
            found = [verdict.outcomes for verdict in evaluate(cache, source.compiled, source.table)]
        weak = next(n for n, check in enumerate(source.compiled.checks) if check.rule.name == "weak")
        assert next((each.get(weak) for each in found), None) == outcome, record


def test_explaining_names_what_is_missing() -> None:
    pack = sound(PLAIN.format(item="points: 7, when: {amount: {at_least: 10}}"))
    made = given_of(pack, "a", node_of("{name: x}"))
    with Cache.open(":memory:") as cache:
        source = source_of(cache, pack, "opportunity", store(cache, pack, "acme", [made]), AS_OF)
        row = rows_of(cache, source.table, ["a"])["a"]
        (told,) = explain_scores(source, row, Reader(row, pack.known["opportunity"]), None)
    assert [(item.name, item.points, item.missing) for item in told.items] == [
        ("it", None, ("amount is blank",))
    ]


# What is wrong with a score is said once, where it is wrong


@pytest.mark.parametrize(
    ("item", "message", "hint"),
    [
        ("points: 1, when: {amout: present}", "'amout' is not known in a condition on opportunity", "did you mean 'amount'?"),
        ("when: {amount: present}", "'points' is missing in an item of quality", "say how many it gives; fewer than 0 take some away"),
        ("points: many, when: {amount: present}", "'many' is not a number", ""),
        ("points: 1", "an item has exactly one of 'when', 'first_match' and 'for_each'; here is none", ""),
        ("points: 1, when: {amount: present}, max: 3", "'max' belongs to 'for_each': there are no rows here", ""),
        ("points: 1, for_each: activites", "there are no related rows named 'activites'", "did you mean 'activities'?"),
        ("points: 1, for_each: activities, max: -3", "'max' is where the points stop, so it has their sign", "write max: 24, or leave it out"),
        ("points: 1, for_each: activities, fades_over: 2 months", "points cannot fade over '2 months'", "write days, e.g. 90 days"),
        ("points: 1, for_each: line_items, fades_over: 9 days", "line_items have no date, so their points cannot fade", ""),
        ("points: 1, for_each: activities, where: {happened_at: {within_last: $quiet}}", "a score has no setting 'quiet'", "write the value itself: only rules have settings"),
        ("points: 1, when: {amount: {at_least: $big}}", "a score has no setting 'big'", "write the value itself: only rules have settings"),
        ("points: 1, when: {score.quality: {at_least: 1}}", "'score.quality' is not known in a condition on opportunity", ""),
        ("points: 1, when: {amount: present}, because: 'worth {amout}'", "the message uses {amout}, which is no field or fact", "did you mean {amount}?"),
        ("first_match: [{when: {amount: present}}]", "'points' is missing in a row of 'first_match'", "say how many it gives; fewer than 0 take some away"),
        ("first_match: {when: {amount: present}}", "'first_match' takes a list of rows", "start each with '- ', e.g. - {when: {amount: {at_least: 1000}}, points: 5}"),
        ("first_match: [{when: {amount: present}, points: 1}], points: 2", "the points stand in each row of 'first_match'", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_an_item(item: str, message: str, hint: str) -> None:
    _, problems = pack_of(BASE + PLAIN.format(item=item))
    assert [(p.what, p.hint) for p in problems.errors] == [(message, hint)]


GOOD = {
    "categories": "{fit: {max: 40}}",
    "points": "[{name: it, category: fit, points: 1, when: {amount: present}}]",
    "grades": "{A: 50, B: 0}",
}


@pytest.mark.parametrize(
    ("changed", "message", "hint"),
    [
        ({"points": "[{name: it, category: fitt, points: 1, when: {amount: present}}]"}, "quality has no category named 'fitt'", "did you mean 'fit'?"),
        ({"grades": "{B: 50, A: 75}"}, "the grade A begins at 75, not below B (50)", "list the grades from the best to the worst, each with the total it begins at"),
        ({"categories": "{fit: {min: 3}}"}, "'max' is missing in the category fit", "say how much fit can give, e.g. {max: 40}"),
        ({"categories": "{fit: {min: 3, max: 1}}"}, "the 'min' of fit is above its 'max'", ""),
        ({"for": "owner"}, "'owner' is not a value of 'for'", "it is one of: opportunity, lead"),
        ({"applies_to": "opne"}, "there is no condition named 'opne'", "did you mean 'open'?"),
        ({"caps": "[]"}, "'caps' is not known in the score quality", "did you mean 'cap'?"),
        ({"cap": "[{when: {amount: blank}}]"}, "'at' is missing in a cap of quality", "say what the total cannot exceed, e.g. at: 50"),
        ({"status": "of"}, "'of' is not a value of 'status'", "did you mean 'off'?"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_score(changed: Mapping[str, str], message: str, hint: str) -> None:
    body = "\n".join(f"    {key}: {value}" for key, value in (GOOD | dict(changed)).items())
    _, problems = pack_of(f"{BASE}\nscores:\n  quality:\n{body}\n")
    assert [(p.what, p.hint) for p in problems.errors] == [(message, hint)]


def test_a_score_with_a_mistake_is_no_second_mistake_in_a_rule_that_reads_it() -> None:
    _, problems = pack_of(BASE + WHOLE.replace("{max: 10}", "{max: ten}"))
    assert [p.what for p in problems.errors] == ["'ten' is not a number"]


@pytest.mark.parametrize("name", ["flags", "flagged-since", "Quality", "a-name-that-is-far-too-long-for-it"])
def test_a_name_must_suit_the_crm(name: str) -> None:
    _, problems = pack_of(
        BASE + PLAIN.format(item="points: 1, when: {amount: present}").replace("quality", name)
    )
    assert len(problems.errors) == 1


# Any score: SQLite says what arithmetic with fractions says

POINTS = st.integers(-300, 300).map(lambda n: Decimal(n) / 10)
DAYS = st.lists(st.integers(-3, 40), max_size=6)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, Decimal]:
    """A score, a record, and the total worked out by hand from rules.md §4.10."""
    total = Decimal(0)
    lines: list[str] = []
    categories = []
    amount = draw(st.none() | st.integers(0, 100))
    ages = draw(DAYS)
    for c in range(draw(st.integers(1, 3))):
        low, high = sorted((draw(POINTS), draw(POINTS)))
        categories.append(f"c{c}: {{min: {low}, max: {high}}}")
        sum_ = Decimal(0)
        for n in range(draw(st.integers(1, 3))):
            points = draw(POINTS)
            head = f"name: i{c}-{n}, category: c{c}"
            match draw(st.sampled_from(["when", "bands", "rows", "fading"])):
                case "when":
                    bound = draw(st.integers(0, 100))
                    lines.append(f"{{{head}, points: {points}, when: {{amount: {{at_least: {bound}}}}}}}")
                    sum_ += points if amount is not None and amount >= bound else 0
                case "bands":
                    bounds = draw(st.lists(st.integers(0, 100), min_size=1, max_size=3))
                    worth = [draw(POINTS) for _ in bounds]
                    bands = ", ".join(
                        f"{{when: {{amount: {{less_than: {b}}}}}, points: {w}}}"
                        for b, w in zip(bounds, worth, strict=True)
                    )
                    lines.append(f"{{{head}, first_match: [{bands}]}}")
                    hits = [
                        w for b, w in zip(bounds, worth, strict=True) if amount is not None and amount < b
                    ]
                    sum_ += hits[0] if hits else 0
                case kind:
                    span = draw(st.integers(1, 40)) if kind == "fading" else None
                    most = draw(st.none() | st.integers(1, 400).map(lambda n: Decimal(n) / 10))
                    most = None if most is None or not points else most.copy_sign(points)
                    extra = f", fades_over: {span} days" if span else ""
                    extra += f", max: {most}" if most is not None else ""
                    lines.append(f"{{{head}, points: {points}, for_each: activities{extra}}}")
                    sum_ += rows(points, ages, span, most)
        total += min(max(sum_, low), high)
    cap = draw(st.none() | POINTS)
    if cap is not None and amount is not None:
        total = min(total, cap)
    text = f"scores:\n  s:\n    categories: {{{', '.join(categories)}}}\n    points: [{', '.join(lines)}]\n"
    text += "" if cap is None else f"    cap: [{{when: {{amount: {{at_least: 0}}}}, at: {cap}}}]\n"
    today = date(2026, 11, 20)
    happened = ", ".join(f"{{happened_at: {today - timedelta(days=age)} 12:00}}" for age in ages)
    worth_ = "" if amount is None else f", amount: {amount}"
    return text, f"{{name: x{worth_}, activities: [{happened}]}}", half_up(total, 0)


def rows(points: Decimal, ages: list[int], span: int | None, most: Decimal | None) -> Decimal:
    if span is None:
        given_ = points * len(ages)
    else:
        given_ = half_up(points * sum(span - age for age in ages if 0 <= age < span) / span, 4)
    if most is None:
        return given_
    return min(given_, most) if points > 0 else max(given_, most)


def half_up(value: Decimal, places: int) -> Decimal:
    """Away from zero on the half."""
    unit = Decimal(1).scaleb(-places)
    size = ((abs(value) / unit) + Decimal("0.5")).to_integral_value(ROUND_FLOOR) * unit
    return size.copy_sign(value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_sqlite_gives_the_total_that_the_design_gives(case: tuple[str, str, Decimal]) -> None:
    text, record, total = case
    (score,) = scored(sound(text), record)
    assert score.total == total


# The shipped scores

STAGES = """
uses: [default@1]
stages: [{name: discovery, kind: open, group: early}, {name: won, kind: won}]
pipelines: {sales: {stages: {discovery: {}, won: {}}}}
fields: {budget: {from: {files: b}}, deadline: {from: {files: d}}, need: {from: {files: n}}, risk: {from: {files: r}},
         decision_makers: {from: {files: dm}}}
"""


def shipped(record: str, kind: RecordKind = "opportunity", language: str = "en") -> Score:
    pack, problems = pack_of(STAGES)
    assert pack is not None, problems.found
    (score,) = scored(pack, record, kind, language)
    return score


FULL = """
stage: discovery
amount: 10
close_date: 2026-12-31
next_step: call
source: web
account.id: acme
account.employees: 60
budget: 50k
deadline: 2027-01-15
contact_roles: [{role: economic_buyer}, {role: champion}, {role: user}]
activities: [{type: meeting, happened_at: 2026-11-20 08:00}, {type: email, direction: outbound, happened_at: 2026-11-20 08:00}]
field_changes: [{field: close_date, old: 2026-11-30, new: 2026-12-31, at: 2026-11-10 09:00}]
"""  # fmt: skip


def test_deal_quality() -> None:
    score = shipped(FULL)
    assert score.categories == {"fit": 40, "engagement": 5, "people": 15, "momentum": -3}
    assert (score.total, score.grade, score.not_known) == (57, "B", ())
    assert "The customer decides by 15 Jan 2027" in score.reasons


def test_deal_quality_is_capped_where_little_is_filled() -> None:
    bare = "{stage: discovery, account.employees: 500, budget: 50k, deadline: 2027-01-15, contact_roles: [{role: economic_buyer}, {role: champion}, {role: user}]}"  # fmt: skip
    score = shipped(bare)
    assert (score.total, score.reasons[-1]) == (50, "Of 10 important fields 3 are filled")


def test_deal_quality_names_what_is_not_synced() -> None:
    nothing = (
        "activities: not synced\ncontact_roles: not synced\nbudget: not synced\nfield_changes: not synced"
    )
    score = shipped(f"stage: discovery\naccount.employees: 500\n{nothing}")
    assert score.total == 15
    assert set(score.not_known) == {
        "budget-known", "urgency", "two-way-engagement", "decision-maker-covered", "champion-covered", "user-covered",
        "push-penalty",
    }  # fmt: skip


def test_lead_quality_in_french() -> None:
    record = "{is_open: yes, name: Kim, company: Acme, source: Web, created_at: 2026-11-18 09:00, activities: [{type: email, direction: inbound, happened_at: 2026-11-20 08:00}]}"  # fmt: skip
    score = shipped(record, "lead", "fr")
    assert score.categories == {"fit": 30, "intent": 25, "engagement": 8}
    assert (score.total, score.grade) == (63, "B")
    assert score.reasons[0] == "Travaille chez Acme"


def test_a_shipped_score_can_be_switched_off() -> None:
    pack, problems = pack_of(STAGES + "overrides: {deal-quality: {status: off}}\n")
    assert pack is not None, problems.found
    assert [score.name for score in pack.live_scores("opportunity")] == []
