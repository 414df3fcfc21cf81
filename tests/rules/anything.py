"""Random records and random conditions on them, as an admin could write them, at the edges where they matter."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from pipelint.config.nodes import List, Map, Node, Text
from pipelint.errors import Place
from pipelint.rules.calendar import PERIODS
from pipelint.rules.fields import NUMERIC, TEMPORAL, TEXTUAL, Field, FieldType, comparable
from pipelint.rules.operators import Operator, Takes, operators_of
from pipelint.rules.pack import Pack
from tests.rules.ground import Given, pack_of

ZONE = "America/New_York"
PACK = """
pack: {time_zone: America/New_York, fiscal_year_starts: february, holidays: [2026-11-26], blank_words: [tbd, "-"]}
stages:
  - {name: discovery, kind: open, group: early}
  - {name: evaluation, kind: open, group: mid}
  - {name: proposal, kind: open, group: late}
  - {name: won, kind: won}
  - {name: lost, kind: lost}
pipelines: {sales: {stages: {discovery: {}, evaluation: {}, proposal: {}, won: {}, lost: {}}}}
fields:
  t: {type: text, from: {files: T}}
  u: {type: text, from: {files: U}}
  c: {type: choice, values: [red, green], from: {files: C}}
  n: {type: number, from: {files: N}}
  k: {type: number, from: {files: K}}
  days: {type: days, from: {files: DAYS}}
  d: {type: date, from: {files: D}}
  e: {type: date, from: {files: E}}
  at: {type: date_time, from: {files: AT}}
  till: {type: date_time, from: {files: TILL}}
  yn: {type: yes_no, from: {files: YN}}
  m: {type: choices, from: {files: M}}
facts:
  touches: {count: activities}
  meetings_30d: {count: activities, where: {type: meeting, happened_at: {within_last: 30 days}}}
  about_t: {count: activities, where: {subject: {contains: {field: record.t}}}}
  worth: {sum: line_items.amount}
  items: {count: line_items, where: {not: {amount: {less_than: 5}}}}
  per_item: {ratio: [worth, items]}
  moves: {count: stage_changes}
  recent_moves: {count: stage_changes, where: {at: {within_last: 30 days}}}
  first_move: {earliest: stage_changes.at}
  last_move: {latest: stage_changes.at}
  last_stage: {last: stage_changes.to_stage}
  first_stage: {first: stage_changes.to_stage}
  pushes: {count: field_changes, where: {field: close_date, new: {after: {field: old}}}}
  pushed_quarters:
    count: field_changes
    where: {field: close_date, new: {later_period_than: {field: old, period: quarter}}}
  drift: {sum_days: field_changes, from: old, to: new, where: {field: close_date}}
  left: {difference: [n, k]}
  share: {ratio: [n, k]}
  apart: {difference: [e, d]}
  pace: {difference: [today, last_move]}
  how_many: {filled: [t, n, d]}
"""
FIELDS = (
    "t", "u", "c", "n", "k", "days", "d", "e", "at", "till", "yn", "m", "amount", "close_date", "stage", "stage_kind",
    "stage_number", "stage_group", "forecast_category", "touches", "meetings_30d", "about_t", "last_touch", "worth",
    "items", "per_item", "moves", "recent_moves", "first_move", "last_move", "last_stage", "first_stage", "pushes",
    "pushed_quarters", "days_pushed", "drift", "amount_change_30d", "moved_back", "skipped_stages", "left", "share",
    "apart", "pace", "how_many",
)  # fmt: skip
MOMENTS = (
    datetime(2026, 11, 20, 10, tzinfo=ZoneInfo(ZONE)),
    datetime(2026, 3, 8, 3, 30, tzinfo=ZoneInfo(ZONE)),
    datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo(ZONE), fold=1),
    datetime(2028, 2, 29, 23, 30, tzinfo=ZoneInfo(ZONE)),
    datetime(2026, 3, 31, 0, 0, tzinfo=ZoneInfo(ZONE)),
)
NOWHERE = Place("anything.yaml", 1, 1)
_STEPS = (0, 1, -1, 2, -2, 13, -13, 14, -14, 15, -15, 30, -30, 31, -31, 90, -90, 91, 365, -365, 366, -366)
_TIMES = (time(0), time(9, 59, 59), time(10), time(10, 0, 1), time(1, 30), time(3, 30), time(23, 59, 59))
_LENGTHS = (
    "0 days", "1 day", "14 days", "2 weeks", "1 month", "1 quarter", "1 year", "1 business day", "10 business days",
    "30 seconds", "30 minutes", "24 hours", "336 hours", "8 working hours", "24 working hours",
)  # fmt: skip
_TEXTS = ("a", "A", "ab", " ab ", "Straße", "STRASSE", "e\u0301", "\u00c9", "50% off", "a_b", "tbd", "-", "\u200b",
          "🚀a", "it's", "\u0130", "i", "blank")  # fmt: skip
_NUMBERS = ("0", "1", "2", "3", "5", "-1", "4.9999", "5.0001", "10", "0.5", "1000000", "20000000000", "1.25")
_ENTITIES = ("activities", "line_items", "stage_changes", "field_changes", "contact_roles")
_STAGES = ("discovery", "evaluation", "proposal", "won", "lost")


@cache
def pack() -> Pack:
    made, problems = pack_of(PACK)
    assert made is not None, problems.found
    return made


# Records


def _day(moment: datetime) -> st.SearchStrategy[date]:
    ends = (
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2028, 2, 29),
        date(2026, 11, 1),
        date(2026, 10, 31),
        date(2027, 1, 31),
    )
    return st.sampled_from([*(moment.date() + timedelta(days=n) for n in _STEPS), *ends])


def _instant(moment: datetime) -> st.SearchStrategy[datetime]:
    def made(day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(ZONE)).astimezone(UTC)

    near = [moment.astimezone(UTC) + timedelta(seconds=n) for n in (0, 1, -1, 86400, -86400, 3600, -1209600)]
    return st.builds(made, _day(moment), st.sampled_from(_TIMES)) | st.sampled_from(near)


def value(each: Field, moment: datetime) -> st.SearchStrategy[Any]:
    """What a CRM may hold in a field, now and then unreadable."""
    if each.name in {"c", "m"}:
        words = st.sampled_from(["red", "GREEN", "a", "b", "", " A"])
        return (
            st.sampled_from(["red", "Green ", "purple", "tbd"])
            if each.name == "c"
            else st.lists(words, max_size=3).map(tuple)
        )
    if each.name == "stage":
        return st.sampled_from([*_STAGES, "?"])
    if each.type is FieldType.ORDERED:
        return st.sampled_from([*each.values, "hopeful"])
    if each.type in TEXTUAL:
        return st.sampled_from(_TEXTS)
    if each.type in NUMERIC:
        unreadable = ["many"] if each.name != "amount" else []
        return st.sampled_from([*map(Decimal, _NUMBERS), *unreadable])
    if each.type is FieldType.YES_NO:
        return st.booleans()
    return _day(moment) if each.type is FieldType.DATE else _instant(moment)


def _row(entity: str, moment: datetime) -> st.SearchStrategy[dict[str, Any]]:
    instant, amount = _instant(moment), st.sampled_from([Decimal("4.5"), Decimal(5), Decimal(-3), None])
    past = instant | st.none()
    match entity:
        case "activities":
            return st.fixed_dictionaries(
                {"type": st.sampled_from(["meeting", "call", None]), "happened_at": past,
                 "direction": st.sampled_from(["inbound", None]), "subject": st.sampled_from(_TEXTS)}
            )  # fmt: skip
        case "line_items":
            return st.fixed_dictionaries({"amount": amount})
        case "contact_roles":
            return st.fixed_dictionaries({"role": st.sampled_from(["user", "economic_buyer"])})
        case "stage_changes":
            stage = st.sampled_from(_STAGES)
            return st.fixed_dictionaries({"from_stage": stage | st.none(), "to_stage": stage, "at": instant})
        case _:
            dates = {
                "field": st.just("close_date"),
                "old": _day(moment) | st.none(),
                "new": _day(moment),
                "at": instant,
            }
            money = {"field": st.just("amount"), "old": amount, "new": amount, "at": instant}
            return st.fixed_dictionaries(dates) | st.fixed_dictionaries(money)


@st.composite
def records(draw: st.DrawFn, moment: datetime) -> Given:
    known = pack().known["opportunity"]
    own = [*FIELDS[:15], "forecast_category", "created_at"]
    values: dict[str, object] = {}
    for name in draw(st.lists(st.sampled_from(own), unique=True, max_size=12)):
        values[name] = draw(value(known[name], moment))
    values = {name: held for name, held in values.items() if name not in {"stage_kind"}}
    rows: dict[str, list[dict[str, object]]] = {}
    for entity in draw(st.lists(st.sampled_from(_ENTITIES), unique=True, max_size=3)):
        rows[entity] = draw(st.lists(_row(entity, moment), max_size=4))
    return Given("", values, rows)


@st.composite
def supplies(draw: st.DrawFn, moment: datetime) -> tuple[frozenset[str], dict[str, datetime]]:
    """What a connection leaves out, and from when on its histories are complete."""
    lacking = draw(
        st.lists(
            st.sampled_from(["t", "n", "d", "close_date", "activities", "stage_changes", "created_at"]),
            max_size=2,
        )
    )
    since = draw(_instant(moment)) if draw(st.booleans()) else None
    late = {} if since is None else {"stage_changes": since, "field_changes": since}
    return frozenset(lacking), late


def numbered(groups: list[tuple[tuple[frozenset[str], dict[str, datetime]], list[Given]]]) -> list[Given]:
    """All records of all connections, each with an id of its own."""
    found: list[Given] = []
    for (lacking, late), members in groups:
        for given in members:
            id_ = f"{len(found):05}"
            rows = {
                entity: [
                    {
                        "id": f"{id_}-{entity}-{n:03}",
                        **({"contact": f"{id_}-{n % 2}"} if entity == "contact_roles" else {}),
                        **row,
                    }
                    for n, row in enumerate(items)
                ]
                for entity, items in given.rows.items()
            }
            found.append(Given(id_, given.values, rows, lacking, late))
    return found


# Conditions


def _text(written: str, *, quoted: bool = False) -> Text:
    return Text(written, NOWHERE, quoted)


def _map(**entries: Node) -> Map:
    return Map(tuple((_text(key), node) for key, node in entries.items()), NOWHERE)


def _literal(each: Field, moment: datetime) -> st.SearchStrategy[Node]:
    if each.values:
        return st.sampled_from(each.values).map(_text)
    if each.type in TEXTUAL or each.type is FieldType.CHOICES:
        words = [text for text in _TEXTS if text.strip() and text != "\u200b"]
        return st.sampled_from(words).map(lambda text: _text(text, quoted=True))
    if each.type in NUMERIC:
        return st.sampled_from([*_NUMBERS, *(["14 days"] if each.type is FieldType.DAYS else [])]).map(_text)
    if each.type is FieldType.YES_NO:
        return st.sampled_from(["yes", "no"]).map(_text)
    near = st.sampled_from(
        ["today", "today - 14 days", "today + 1 month", "today - 1 quarter", "today + 3 business days"]
    )
    return (near | _day(moment).map(date.isoformat)).map(_text)


@st.composite
def _other(draw: st.DrawFn, each: Field) -> Node:
    known = pack().known["opportunity"]
    names = [name for name in FIELDS if comparable(each, known[name])]
    other = known[draw(st.sampled_from(names))]
    entries: dict[str, Node] = {"field": _text(other.name)}
    if each.type in NUMERIC and draw(st.booleans()):
        entries["times"] = _text(draw(st.sampled_from(["1.5", "0", "-2", "0.3333", "2"])))
    if each.type in NUMERIC and draw(st.booleans()):
        entries["plus"] = _text(draw(st.sampled_from(["1", "-2", "0.0001"])))
    if each.type in TEMPORAL and draw(st.booleans()):
        lengths = ["3 days", "-1 week"]
        if each.type is other.type is FieldType.DATETIME:
            lengths += ["0 seconds", "24 hours", "-30 minutes"]
        entries["plus"] = _text(draw(st.sampled_from(lengths)))
    return _map(**entries)


@st.composite
def _operand(draw: st.DrawFn, operator: Operator, each: Field, moment: datetime) -> Node:
    single = _literal(each, moment)
    if each.type is not FieldType.CHOICES:
        single = single | single | _other(each)
    match operator.takes:
        case Takes.VALUES:
            return List(tuple(draw(st.lists(single, min_size=1, max_size=3))), NOWHERE)
        case Takes.COUNT:
            return _text(draw(st.sampled_from(["0", "1", "2", "3", "6"])))
        case Takes.RANGE:
            low, high = sorted(
                draw(st.tuples(st.sampled_from(_NUMBERS), st.sampled_from(_NUMBERS))), key=Decimal
            )
            return List((_text(low), _text(high)), NOWHERE)
        case Takes.LENGTH:
            clock = ("seconds", "minutes", "hours")
            fits = [x for x in _LENGTHS if each.type is FieldType.DATETIME or not x.endswith(clock)]
            return _text(draw(st.sampled_from(fits)))
        case Takes.PERIOD:
            return _text(draw(st.sampled_from(PERIODS)))
        case Takes.END:
            unit, days = (
                draw(st.sampled_from(["week", "month", "quarter", "year"])),
                draw(st.sampled_from(["1 day", "10 days"])),
            )
            return _map(**{unit: _text(days)})
        case Takes.FIELD_PERIOD:
            known = pack().known["opportunity"]
            dates = [name for name in FIELDS if known[name].type in TEMPORAL]
            period = draw(st.sampled_from(["month", "quarter", "year"]))
            return _map(field=_text(draw(st.sampled_from(dates))), period=_text(period))
        case _:
            return draw(single)


@st.composite
def tests(draw: st.DrawFn, moment: datetime) -> Node:
    each = pack().known["opportunity"][draw(st.sampled_from(FIELDS))]
    if draw(st.integers(0, 7)) == 0:
        return _map(**{each.name: _text(draw(st.sampled_from(["blank", "present"])))})
    operator = draw(st.sampled_from(list(operators_of(each.type).values())))
    entries = {operator.name: draw(_operand(operator, each, moment))}
    if draw(st.integers(0, 3)) == 0:
        entries["if_blank"] = _text(draw(st.sampled_from(["yes", "no"])))
    return _map(**{each.name: _map(**entries)})


def conditions(moment: datetime) -> st.SearchStrategy[Node]:
    leaf = tests(moment)

    def grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        items = st.lists(inner, min_size=1, max_size=3).map(lambda found: List(tuple(found), NOWHERE))
        return (
            items.map(lambda found: _map(all=found))
            | items.map(lambda found: _map(any=found))
            | inner.map(lambda found: Map(((_text("not"), found),), NOWHERE))
        )

    return leaf | leaf | st.recursive(leaf, grown, max_leaves=5)
