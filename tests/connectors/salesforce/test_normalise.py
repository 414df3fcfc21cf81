"""Values: ids, instants, decimals, and when an activity happened."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from pipelint.connectors.base import WriteValue
from pipelint.connectors.salesforce import normalise as n
from pipelint.connectors.salesforce.describe import FieldDescription, PicklistValue

READING = n.Reading(datetime(2026, 11, 21, 9, tzinfo=UTC), ZoneInfo("Europe/Paris"))
STAMP = "2026-11-20T08:00:00.000+0000"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("0065g00000AbCdE", "0065g00000AbCdEAAV"),
        ("001A0000006Vm9rIAC", "001A0000006Vm9rIAC"),
        (None, None),
    ],
)
def test_ids_have_18_characters(short: str | None, long: str | None) -> None:
    assert n.identity(short) == long


def test_instants_are_utc_in_both_spellings() -> None:
    assert n.instant(STAMP) == n.instant("2026-11-20T08:00:00.000Z") == at("2026-11-20T08:00:00Z")


def test_numbers_are_exact() -> None:
    assert n.number(Decimal("1234567890123456.12")) == Decimal("1234567890123456.12")
    assert n.number(3) == Decimal(3)


@pytest.mark.parametrize(
    ("subtype", "call_type", "kind", "direction"),
    [
        ("Call", None, "call", None),
        ("Call", "Inbound", "call", "inbound"),
        ("Task", "Outbound", "call", "outbound"),
        ("Task", "Internal", "call", None),
        ("Email", None, "email", None),
        ("ListEmail", None, "email", None),
        ("Task", None, "task", None),
        (None, None, "task", None),
    ],
)
def test_what_a_task_was(subtype: str, call_type: str, kind: str, direction: str | None) -> None:
    assert n.activity_type(subtype, call_type) == kind
    assert n.direction(call_type, None) == direction


def test_a_done_task_happened_when_it_was_completed() -> None:
    completed = "2026-11-19T15:00:00.000+0000"
    assert n.task_happened(READING, True, completed, "2026-11-01", STAMP) == at(completed)
    assert n.task_planned(READING, True, "2026-11-01") is None


def test_an_old_done_task_happened_on_its_day() -> None:
    assert n.task_happened(READING, True, None, "2026-11-01", STAMP) == at("2026-11-01T12:00:00+01:00")
    assert n.task_happened(READING, True, None, None, STAMP) == at(STAMP)


def test_a_task_done_before_its_due_day_happened_by_its_last_change() -> None:
    assert n.task_happened(READING, True, None, "2026-12-24", STAMP) == at(STAMP)


def test_an_open_task_is_planned() -> None:
    assert n.task_happened(READING, False, None, "2026-12-24", STAMP) is None
    assert n.task_planned(READING, False, "2026-12-24") == at("2026-12-24T12:00:00+01:00")
    assert n.task_planned(READING, False, None) is None


@pytest.mark.parametrize(
    ("start", "end", "all_day", "happened", "planned"),
    [
        ("2026-11-21T07:00Z", "2026-11-21T08:00Z", False, "2026-11-21T07:00Z", None),
        ("2026-11-21T08:30Z", "2026-11-21T09:30Z", False, None, "2026-11-21T08:30Z"),
        ("2026-11-21T08:00Z", "2026-11-21T09:00Z", False, "2026-11-21T08:00Z", None),
        ("2026-11-21T00:00Z", "2026-11-21T00:00Z", True, None, "2026-11-21T11:00Z"),
        ("2026-11-20T00:00Z", "2026-11-20T00:00Z", True, "2026-11-20T11:00Z", None),
    ],
)
def test_a_meeting_has_happened_when_it_is_over(
    start: str, end: str, all_day: bool, happened: str | None, planned: str | None
) -> None:
    assert n.event_happened(READING, start, end, all_day) == (at(happened) if happened else None)
    assert n.event_planned(READING, start, end, all_day) == (at(planned) if planned else None)


FLAGS = FieldDescription(
    "F__c", "F", "multipicklist", picklist_values=[PicklistValue("b"), PicklistValue("a")]
)
HYGIENE = FieldDescription("H__c", "H", "double", scale=0)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        (None, "  a \r\n b  ", "a \n b"),
        (None, "  ", None),
        (HYGIENE, Decimal("72.5"), Decimal(73)),
        (HYGIENE, 72, Decimal(72)),
        (FLAGS, ("a", "b", "a"), ("b", "a")),
        (FLAGS, (), None),
        (None, date(2026, 11, 20), date(2026, 11, 20)),
        (HYGIENE, None, None),
    ],
)
def test_values_as_salesforce_keeps_them(
    field: FieldDescription | None, value: WriteValue, kept: WriteValue
) -> None:
    assert n.stored(field, value) == kept


def test_values_on_their_way() -> None:
    assert n.sent(("a", "b")) == "a;b"
    assert n.sent(Decimal(72)) == 72
    assert n.sent(Decimal("72.25")) == 72.25
    assert n.sent(date(2026, 11, 20)) == "2026-11-20"
