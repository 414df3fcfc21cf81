"""Statements: literals, order, and the limits of an address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from pipelint.connectors.salesforce import soql


def test_text_is_escaped() -> None:
    assert soql.quoted("a'b\\c\nd") == r"'a\'b\\c\nd'"


def test_instants_end_with_z() -> None:
    paris = timezone(timedelta(hours=1))
    assert soql.instant(datetime(2026, 11, 21, 10, tzinfo=paris)) == "2026-11-21T09:00:00.000Z"
    assert soql.instant(datetime(2026, 11, 21, 10, 0, 0, 123_456, tzinfo=UTC)) == "2026-11-21T10:00:00.123Z"


def test_or_stands_in_parentheses() -> None:
    statement = soql.select(
        ["Id"],
        "Task",
        ["IsDeleted = false", soql.after("SystemModstamp", "2026-11-21T10:00:00.000+0000", "00T1")],
        ["Id"],
    )
    assert statement == (
        "SELECT Id FROM Task WHERE IsDeleted = false AND (SystemModstamp > 2026-11-21T10:00:00.000Z OR "
        "(SystemModstamp = 2026-11-21T10:00:00.000Z AND Id > '00T1')) ORDER BY Id"
    )


def test_a_list_of_ids_fits_into_an_address() -> None:
    ids = [f"006{number:015d}" for number in range(1000)]
    chunks = list(soql.chunked(ids))
    assert [len(chunk) for chunk in chunks] == [300, 300, 300, 100]
    assert soql.fits(
        soql.select(
            ["Id", *(f"Field_{n}__c" for n in range(200))], "Opportunity", [f"Id IN {soql.listed(chunks[0])}"]
        )
    )


def test_a_statement_that_would_be_refused_with_414_does_not_fit() -> None:
    columns = [f"A_rather_long_name_of_a_field_{n}__c" for n in range(500)]
    assert not soql.fits(soql.select(columns, "Opportunity"))
