"""What a pull of an export delivers, and when it delivers anything at all."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.connectors.base import Change, Connector, Page, Supply
from pipelint.connectors.files import FilesConnector, connector
from pipelint.errors import UnexpectedAnswer, UsageError
from pipelint.records import ActivityLink, Lead, Opportunity, Record, Stream

from .conftest import Connect

Export = Callable[[str, str | bytes], Path]


def records(
    connection: FilesConnector, stream: Stream = Stream.OPPORTUNITIES, custom: tuple[str, ...] = ()
) -> list[Record]:
    return [record for page in connection.pull(stream, None, custom) for record in page.records]


def each(field: str, found: Iterable[Record]) -> list[object]:
    return [record._asdict()[field] for record in found]


def one(connection: FilesConnector, custom: tuple[str, ...] = ()) -> Opportunity:
    (record,) = records(connection, custom=custom)
    assert isinstance(record, Opportunity)
    return record


DEALS = "deal,title,value,closes,added,owner\n7,Two plants,1234.50,2026-12-31,2026-11-20 10:00,kim\n"
COLUMNS = {"id": "deal", "name": "title", "amount": "value", "close_date": "closes", "created_at": "added"}


def test_columns_become_canonical_fields(connection: Connect, export: Export) -> None:
    export("deals.csv", DEALS)
    found = one(connection(opportunities={"file": "deals.csv", "columns": COLUMNS}))
    assert found.id == "7"
    assert found.name == "Two plants"
    assert found.amount == Decimal("1234.50")
    assert found.close_date == date(2026, 12, 31)
    assert found.created_at == datetime(2026, 11, 20, 9, tzinfo=UTC), (
        "the project's zone, Paris, is one hour on"
    )
    assert found.owner == "kim", "a column that is called like a field needs no mapping"


def test_supply_lists_what_is_mapped_and_nothing_else(connection: Connect, export: Export) -> None:
    export("deals.csv", DEALS)
    supply = connection(
        opportunities={"file": "deals.csv", "columns": COLUMNS, "constants": {"currency": "USD"}}
    ).supply(Stream.OPPORTUNITIES, ["discount"])
    assert supply.fields == {"id", "modified_at", "owner", "currency", *COLUMNS}
    assert supply.custom == frozenset()


def test_a_stream_without_a_file_supplies_nothing(connection: Connect, export: Export) -> None:
    export("deals.csv", DEALS)
    made = connection(opportunities={"file": "deals.csv", "columns": COLUMNS})
    assert made.streams() == (Stream.OPPORTUNITIES,)
    assert made.supply(Stream.ACCOUNTS, []) == Supply(Stream.ACCOUNTS, frozenset())


def test_a_column_that_happens_to_bear_a_fields_name_can_be_left_out(
    connection: Connect, export: Export
) -> None:
    export("deals.csv", "id,type\n7,B\n")
    made = connection(opportunities={"file": "deals.csv", "columns": {"type": ""}})
    assert one(made).type is None
    assert "type" not in made.supply(Stream.OPPORTUNITIES, []).fields


def test_the_streams_own_zone_prevails(connection: Connect, export: Export) -> None:
    export("deals.csv", DEALS)
    stream = {"file": "deals.csv", "columns": COLUMNS, "zone": "America/New_York"}
    assert one(connection(opportunities=stream)).created_at == datetime(2026, 11, 20, 15, tzinfo=UTC)


def test_custom_fields_are_pulled_when_a_rule_wants_them(connection: Connect, export: Export) -> None:
    export("deals.csv", 'id,Champion,Discount,Competitors\n7,Kim,"12,5",Globex;Initech\n')
    made = connection(
        opportunities={
            "file": "deals.csv",
            "decimal": ",",
            "types": {"Discount": "number", "Competitors": "choices"},
        }
    )
    assert one(made).custom == {}
    found = one(made, custom=("Champion", "Discount", "Competitors", "Elsewhere"))
    assert found.custom == {
        "Champion": "Kim",
        "Discount": Decimal("12.5"),
        "Competitors": ("Globex", "Initech"),
    }


def test_words_of_the_file_are_translated(connection: Connect, export: Export) -> None:
    export("users.csv", "id,active\nkim,Aktiv\nlee,Inaktiv\n")
    made = connection(owners={"file": "users.csv", "values": {"active": {"aktiv": "yes", "inaktiv": "no"}}})
    assert each("active", records(made, Stream.OWNERS)) == [True, False]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("leads.json", '[{"id": "1", "is_open": true}, {"id": "2", "name": "Zoë"}]'),
        (
            "leads.json",
            '{"totalSize": 2, "records": [{"id": "1", "is_open": true}, {"id": "2", "name": "Zoë"}]}',
        ),
        ("leads.jsonl", '{"id": "1", "is_open": true}\n{"id": "2", "name": "Zoë"}\n'),
        ("leads.csv", "id,is_open,name\n1,yes,\n2,,Zoë\n"),
        ("leads.tsv", "id\tis_open\tname\n1\tyes\t\n2\t\tZoë\n"),
    ],
)
def test_every_format_says_the_same(connection: Connect, export: Export, name: str, text: str) -> None:
    path = export(name, text)
    os.utime(path, (0, 0))
    start = datetime(1970, 1, 1, tzinfo=UTC)
    assert records(connection(leads={"file": name}), Stream.LEADS) == [
        Lead("1", start, is_open=True),
        Lead("2", start, name="Zoë"),
    ]


def test_an_export_without_records_is_no_mistake(connection: Connect, export: Export) -> None:
    export("leads.json", "[]")
    export("deals.csv", "id,name\n")
    made = connection(leads={"file": "leads.json"}, opportunities={"file": "deals.csv"})
    assert records(made, Stream.LEADS) == []
    assert records(made) == []


def test_a_large_json_array_is_read_piece_by_piece(connection: Connect, export: Export) -> None:
    names = [f"{n} {'x' * (n % 90)}" for n in range(5000)]
    export("leads.json", json.dumps([{"id": str(n), "name": name} for n, name in enumerate(names)], indent=1))
    assert each("name", records(connection(leads={"file": "leads.json"}), Stream.LEADS)) == names


def test_activities_bring_their_links(connection: Connect, export: Export) -> None:
    export(
        "calls.csv", "id,type,happened_at,opportunity,account\n1,call,2026-11-20 10:00,7,globex\n2,note,,,\n"
    )
    made = connection(activities={"file": "calls.csv"})
    (page,) = made.pull(Stream.ACTIVITIES, None, ())
    assert [r for r in page.records if isinstance(r, ActivityLink)] == [
        ActivityLink("opportunity", "7", "1"),
        ActivityLink("account", "globex", "1"),
    ]
    assert made.supply(Stream.ACTIVITY_LINKS, []).fields == {"kind", "record", "activity"}


def test_rows_without_ids_are_told_by_what_they_say(connection: Connect, export: Export) -> None:
    row = "7,proposal,2026-11-20\n"
    export("moves.csv", f"opportunity,to_stage,at\n{row}{row}8,won,2026-11-20\n")
    made = connection(stage_changes={"file": "moves.csv"})
    first = each("id", records(made, Stream.STAGE_CHANGES))
    assert len(set(first)) == 3
    assert each("id", records(made, Stream.STAGE_CHANGES)) == first


def test_a_row_that_lacks_what_it_is_about_is_left_out(
    connection: Connect, export: Export, caplog: pytest.LogCaptureFixture
) -> None:
    export("moves.csv", "id,opportunity,to_stage,at\n1,7,proposal,2026-11-20\n2,7,won,\n")
    assert len(records(connection(stage_changes={"file": "moves.csv"}), Stream.STAGE_CHANGES)) == 1
    assert "exports/moves.csv: 'at': 1 value missing, and such rows are left out" in caplog.text


def test_an_unreadable_value_is_blank_and_reported_once_for_its_column(
    connection: Connect, export: Export, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    export("deals.csv", 'id,amount,close_date\n1,"1,234.50",2026-12-31\n2,"2,000.00",31.12.2026\n3,9,\n')
    found = records(connection(opportunities={"file": "deals.csv"}))
    assert each("amount", found) == [None, None, Decimal(9)]
    assert [record.getMessage() for record in caplog.records] == [
        "exports/deals.csv: 'amount': 2 values cannot be read as a number and count as blank, "
        "first '1,234.50' on line 2; write it without commas, or set thousands: \",\" for this stream",
        "exports/deals.csv: 'close_date': 1 value cannot be read as a date and count as blank, "
        "first '31.12.2026' on line 3; "
        "write 2026-12-31, or set dates: day_first or dates: month_first for this stream",
    ]


class TestFollowingAFile:
    def pull(self, made: FilesConnector, cursor: str | None) -> list[Page]:
        return list(made.pull(Stream.OPPORTUNITIES, cursor, ()))

    def test_an_unchanged_file_is_not_pulled_again(self, connection: Connect, export: Export) -> None:
        export("deals.csv", "id\n1\n2\n")
        made = connection(opportunities={"file": "deals.csv"})
        (first,) = self.pull(made, None)
        (again,) = self.pull(made, first.cursor)
        assert (again.records, again.begins_full) == ((), False)

    def test_a_copy_with_the_same_content_is_not_pulled_again(
        self, connection: Connect, export: Export
    ) -> None:
        path = export("deals.csv", "id\n1\n2\n")
        made = connection(opportunities={"file": "deals.csv"})
        (first,) = self.pull(made, None)
        os.utime(path, (1, 1))
        (again,) = self.pull(made, first.cursor)
        assert not again.records

    def test_a_changed_file_is_pulled_whole(self, connection: Connect, export: Export) -> None:
        export("deals.csv", "id\n1\n2\n")
        made = connection(opportunities={"file": "deals.csv"})
        (first,) = self.pull(made, None)
        export("deals.csv", "id\n2\n3\n")
        (again,) = self.pull(made, first.cursor)
        assert each("id", again.records) == ["2", "3"]
        assert again.begins_full
        assert again.ends_full

    def test_another_mapping_makes_another_file(self, connection: Connect, export: Export) -> None:
        export("deals.csv", "id,title\n1,Two plants\n")
        (first,) = self.pull(connection(opportunities={"file": "deals.csv"}), None)
        made = connection(opportunities={"file": "deals.csv", "columns": {"name": "title"}})
        (again,) = self.pull(made, first.cursor)
        assert again.records

    def test_a_pull_cut_short_begins_anew_when_the_file_has_changed_since(
        self, connection: Connect, export: Export, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connector, "PAGE_ROWS", 1)
        export("deals.csv", "id\n1\n2\n")
        made = connection(opportunities={"file": "deals.csv"})
        first = next(made.pull(Stream.OPPORTUNITIES, None, ()))
        export("deals.csv", "id\n8\n9\n")
        rest = self.pull(made, first.cursor)
        assert rest[0].begins_full
        assert each("id", [deal for page in rest for deal in page.records]) == ["8", "9"]

    def test_a_file_that_changes_under_our_eyes_is_not_finished(
        self, connection: Connect, export: Export, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connector, "PAGE_ROWS", 1)
        path = export("deals.csv", "id\n1\n2\n")
        pages = connection(opportunities={"file": "deals.csv"}).pull(Stream.OPPORTUNITIES, None, ())
        next(pages)
        os.utime(path, (1, 1))
        with pytest.raises(UnexpectedAnswer, match="changed while it was being read"):
            next(pages)


def test_nothing_can_be_set_up_or_written(connection: Connect, export: Export) -> None:
    export("deals.csv", "id\n1\n")
    made: Connector = connection(opportunities={"file": "deals.csv"})
    assert made.write_limits.batch == 0
    assert list(made.plan_setup([])) == []
    assert list(made.clicks([])) == []
    assert list(made.read("opportunity", ["1"], ["flags"])) == []
    with pytest.raises(UsageError, match="'history' reads exported files and cannot be written to"):
        made.write([Change("opportunity", "1", {"flags": None})])


def test_doctor_reads_every_file_to_its_end(connection: Connect, export: Export) -> None:
    export("deals.csv", "id,amount\n1,9\n2,nine\n")
    made = connection(opportunities={"file": "deals.csv"}, leads={"file": "leads.csv"})
    assert [(line.level, line.what) for line in made.diagnose([])] == [
        ("ok", "opportunities: 2 rows in exports/deals.csv"),
        (
            "warning",
            "exports/deals.csv: 'amount': 1 value cannot be read as a number and count as blank, "
            "first 'nine' on line 3; write digits only, with a point before the decimals",
        ),
        ("problem", "exports/leads.csv: there is no such file"),
    ]


def test_fields_are_the_columns_of_the_file(connection: Connect, export: Export) -> None:
    export("deals.csv", "id,amount,Champion\n")
    made = connection(opportunities={"file": "deals.csv"})
    seen = [(field.name, field.type, field.custom) for field in made.fields("opportunity")]
    assert seen == [("id", "text", False), ("amount", "number", False), ("Champion", "text", True)]
    assert list(made.fields("lead")) == []
