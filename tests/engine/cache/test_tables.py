"""Tables follow the records; values are stored in one exact form."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelint.engine.cache.encode import custom_json, instant, microseconds, plain
from pipelint.engine.cache.sqlite import SCHEMA_VERSION, Cache
from pipelint.engine.cache.tables import ColumnType, table
from pipelint.records import RECORD_TYPES, Opportunity, Stream
from tests.engine.cache.crm import page, pulled, rows

decimals = st.decimals(allow_nan=False, allow_infinity=False, places=6) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40
)


@pytest.mark.parametrize("stream", Stream)
def test_a_table_has_the_fields_of_its_record_under_the_same_names(stream):
    with Cache.open(":memory:") as cache:
        columns = [row[1] for row in cache.db.execute(f"PRAGMA table_info({stream.value})")]
    assert columns == list(table(stream).columns)
    assert columns[0] == "connection"
    assert columns[-1] == "pull"
    fields = RECORD_TYPES[stream]._fields
    assert tuple(columns[1 : len(fields) + 1]) == fields


def test_types_come_from_the_annotations():
    fields = table(Stream.OPPORTUNITIES).fields
    assert fields["modified_at"] is ColumnType.INSTANT
    assert fields["close_date"] is ColumnType.DATE
    assert fields["amount"] is ColumnType.DECIMAL
    assert fields["is_open"] is ColumnType.BOOLEAN
    assert fields["name"] is ColumnType.TEXT
    assert fields["custom"] is ColumnType.CUSTOM
    assert table(Stream.STAGES).fields["position"] is ColumnType.INTEGER


@pytest.mark.parametrize(
    ("stream", "key"),
    [
        (Stream.OPPORTUNITIES, ("connection", "id")),
        (Stream.STAGES, ("connection", "pipeline", "id")),
        (Stream.CONTACT_ROLES, ("connection", "opportunity", "id")),
        (Stream.STAGE_CHANGES, ("connection", "opportunity", "at", "id")),
        (Stream.LINE_ITEMS, ("connection", "opportunity", "id")),
        (Stream.FIELD_CHANGES, ("connection", "kind", "record", "field", "at", "id")),
        (Stream.ACTIVITY_LINKS, ("connection", "kind", "record", "activity")),
    ],
)
def test_children_are_clustered_by_their_parent(stream, key):
    assert table(stream).key == key
    create = next(table(stream).create())
    assert create.endswith("WITHOUT ROWID") == (len(key) > 2 and stream is not Stream.STAGES)


def test_the_version_in_the_code_counts_the_migrations():
    with Cache.open(":memory:") as cache:
        [(applied,)] = rows(cache, "SELECT count(*) FROM _sqlite_migrations")
    assert applied == SCHEMA_VERSION


def test_an_opportunity_is_stored_in_canonical_form():
    record = Opportunity(
        "006",
        datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC),
        amount=Decimal("1.5E+3"),
        is_open=True,
        is_won=False,
        close_date=date(2026, 3, 31),
        custom={
            "Zahl__c": Decimal("10.50"),
            "Text__c": "späté",
            "Ja__c": True,
            "Tag__c": date(2026, 4, 1),
            "Zeit__c": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
            "Liste__c": ("a", "b"),
            "Leer__c": None,
        },
    )
    with Cache.open(":memory:") as cache:
        pulled(cache, page(Stream.OPPORTUNITIES, record))
        [row] = rows(
            cache, "SELECT modified_at, amount, is_open, is_won, close_date, name, custom FROM opportunity"
        )
    assert row[:-1] == (1772366400000005, "1500", 1, 0, "2026-03-31", None)
    assert row[-1] == (
        '{"Ja__c":true,"Liste__c":["a","b"],"Tag__c":"2026-04-01","Text__c":"späté","Zahl__c":"10.5","Zeit__c":1000000}'
    )


@given(decimals)
def test_a_decimal_keeps_its_exact_value(number):
    assert Decimal(plain(number)) == number
    assert "E" not in plain(number)


def test_there_is_one_zero():
    assert {plain(Decimal(text)) for text in ("0", "-0", "0.00", "-0.0", "0E+3")} == {"0"}


@given(decimals, st.integers(0, 5))
def test_equal_decimals_have_equal_texts(number, zeros):
    padded = Decimal(format(number, "f") + ("" if "." in format(number, "f") else ".") + "0" * zeros)
    assert plain(padded) == plain(number)


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_keeps_its_microseconds(at):
    assert instant(microseconds(at)) == at


def test_an_instant_of_another_zone_is_the_same_instant():
    paris = timezone(timedelta(hours=1))
    assert microseconds(datetime(1970, 1, 1, 1, 0, tzinfo=paris)) == 0


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(TypeError):
        microseconds(datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.dictionaries(st.text(), st.text() | decimals | st.booleans() | st.dates() | st.none()))
def test_custom_fields_can_be_read_by_sqlite(custom):
    db = sqlite3.connect(":memory:")
    text = custom_json(custom)
    assert db.execute("SELECT json_valid(?)", (text,)).fetchone() == (1,)
    db.close()
    if not any(value is not None for value in custom.values()):
        assert text == "{}"
