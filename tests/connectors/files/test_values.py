"""How the cells of an export are read: exactly, or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelint.connectors.files.values import Cell, DateOrder, Formats, Unreadable

PARIS = ZoneInfo("Europe/Paris")
PLAIN = Formats(PARIS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.50", "1234.50"),
        ("-0.1", "-0.1"),
        ("+7", "7"),
        (" 12 ", "12"),
        ("0001", "1"),
        (Decimal("1E+2"), "1E+2"),
    ],
)
def test_plain_numbers_are_exact(text: Cell, value: str) -> None:
    assert PLAIN.number(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    ["1,234.50", "1 234,50", "1'234", "12%", "€5", "1e5", ".5", "5.", "1_000", "٣", "NaN", True, [], {}],
)
def test_other_spellings_are_not_guessed(text: Cell) -> None:
    with pytest.raises(Unreadable):
        PLAIN.number(text)


@pytest.mark.parametrize(
    ("text", "formats", "value"),
    [
        ("1,234.50", Formats(PARIS, thousands=","), "1234.50"),
        ("1234.50", Formats(PARIS, thousands=","), "1234.50"),
        ("1 234,50", Formats(PARIS, decimal=",", thousands=" "), "1234.50"),
        ("1\u202f234\u00a0567", Formats(PARIS, decimal=",", thousands=" "), "1234567"),
        ("1.234.567,5", Formats(PARIS, decimal=",", thousands="."), "1234567.5"),
    ],
)
def test_settings_admit_them(text: str, formats: Formats, value: str) -> None:
    assert formats.number(text) == Decimal(value)


def test_groups_must_be_whole() -> None:
    with pytest.raises(Unreadable):
        Formats(PARIS, thousands=",").number("1,23.50")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**11), max_value=10**11))
def test_any_decimal_survives(value: Decimal) -> None:
    assert PLAIN.number(str(value)) == value


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1,234.50", 'write it without commas, or set thousands: "," for this stream'),
        ("1 234,50", 'write 1234.50, or set decimal: "," and thousands: " " for this stream'),
        ("1.234,50", 'write 1234.50, or set decimal: "," and thousands: "." for this stream'),
        ("12,5", 'write 1234.50, or set decimal: "," for this stream'),
        ("about 5", "write digits only, with a point before the decimals"),
    ],
)
def test_the_hint_recognises_the_country(text: str, hint: str) -> None:
    with pytest.raises(Unreadable) as caught:
        PLAIN.number(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("order", "text", "value"),
    [
        ("iso", "2026-12-31", date(2026, 12, 31)),
        ("iso", "2026-12-31T23:30:00Z", date(2027, 1, 1)),
        ("day_first", "31/12/2026", date(2026, 12, 31)),
        ("day_first", "1.2.2026", date(2026, 2, 1)),
        ("month_first", "12/31/2026", date(2026, 12, 31)),
    ],
)
def test_dates(order: DateOrder, text: str, value: date) -> None:
    assert Formats(PARIS, order).day(text) == value


@pytest.mark.parametrize(
    "text", ["2026-02-30", "31/12/2026", "20261231", "2026-W01-1", "2026-12-31 25:00", "tomorrow", "2026-1-1"]
)
def test_what_is_no_iso_date(text: str) -> None:
    with pytest.raises(Unreadable):
        PLAIN.day(text)


@pytest.mark.parametrize(
    ("order", "text", "value"),
    [
        ("iso", "2026-07-01 10:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("iso", "2026-01-01T10:00:05.123456789", datetime(2026, 1, 1, 9, 0, 5, 123456, tzinfo=UTC)),
        ("iso", "2026-01-01T10:00:00.000+0000", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("iso", "2026-01-01T10:00:00-05:00", datetime(2026, 1, 1, 15, tzinfo=UTC)),
        ("iso", "2026-01-01", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        ("month_first", "1/2/2026, 12:05 AM", datetime(2026, 1, 1, 23, 5, tzinfo=UTC)),
        ("month_first", "1/2/2026 12:05 pm", datetime(2026, 1, 2, 11, 5, tzinfo=UTC)),
    ],
)
def test_instants_are_in_the_files_zone_unless_they_say(order: DateOrder, text: str, value: datetime) -> None:
    assert Formats(PARIS, order).instant(text) == value


@pytest.mark.parametrize(("text", "value"), [("Yes", True), ("0", False), ("TRUE", True), (False, False)])
def test_yes_and_no(text: Cell, value: bool) -> None:
    assert PLAIN.yes_no(text) is value


def test_other_words_for_yes_need_a_translation() -> None:
    with pytest.raises(Unreadable) as caught:
        PLAIN.yes_no("oui")
    assert "under 'values:'" in caught.value.hint


@pytest.mark.parametrize("type_name", ["text", "choices", "number", "whole", "date", "datetime", "yes_no"])
@pytest.mark.parametrize("cell", [None, ""])
def test_an_empty_cell_is_blank_in_every_type(type_name: str, cell: Cell) -> None:
    assert PLAIN.reader(type_name)(cell) is None


def test_text_is_kept_as_it_is() -> None:
    assert PLAIN.text("  n/a ") == "  n/a "
    assert PLAIN.text(Decimal("7.10")) == "7.10"
    assert PLAIN.text(True) == "true"


def test_several_choices() -> None:
    assert PLAIN.choices("a; b;;c") == ("a", "b", "c")
    assert PLAIN.choices(["a", "b"]) == ("a", "b")
    assert PLAIN.choices([]) is None


def test_a_whole_number_has_no_decimals() -> None:
    assert PLAIN.whole("7.0") == 7
    with pytest.raises(Unreadable):
        PLAIN.whole("7.5")
