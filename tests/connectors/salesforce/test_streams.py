"""What the streams beyond opportunities and people deliver: queues, products, participants, histories, rates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.connectors.contract import settle
from pipelint.connectors.salesforce.connector import SalesforceConnector
from pipelint.records import (
    Activity,
    ActivityLink,
    ExchangeRate,
    FieldChange,
    LineItem,
    Opportunity,
    Owner,
    Record,
    Stream,
)
from pipelint.sandbox.salesforce import SalesforceSandbox
from pipelint.sandbox.salesforce.fields import typed
from tests.connectors.salesforce.conftest import NOW

Connect = Callable[..., SalesforceConnector]


def records(connector: SalesforceConnector, stream: Stream, *custom: str) -> list[Record]:
    return [record for page in connector.pull(stream, None, custom) for record in page.records]


def first(sandbox: SalesforceSandbox, sobject: str, where: str = "") -> str:
    return str(sandbox.org.query(f"SELECT Id FROM {sobject} {where} ORDER BY Id LIMIT 1")[0]["Id"])


def test_queues_are_owners_and_other_groups_are_not(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    groups = {str(row["Id"]): row for row in sandbox.org.query("SELECT Id, Name, Type FROM Group")}
    owners = {r.id: r for r in records(connector, Stream.OWNERS) if isinstance(r, Owner)}
    queues = {id_ for id_, row in groups.items() if row["Type"] == "Queue"}
    assert queues
    assert queues == groups.keys() & owners.keys()
    assert all(owners[id_].active and owners[id_].name == groups[id_]["Name"] for id_ in queues)


def test_a_line_item_is_called_like_its_product(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    org = sandbox.org
    book = first(sandbox, "Pricebook2", "WHERE IsStandard = true")
    product = org.create("Product2", {"Name": "Turbine"})
    price = org.create("PricebookEntry", {"Pricebook2Id": book, "Product2Id": product, "UnitPrice": 100})
    deal = first(sandbox, "Opportunity")
    given = {"OpportunityId": deal, "PricebookEntryId": price, "Quantity": 3, "UnitPrice": 90, "Discount": 10}
    item = org.create("OpportunityLineItem", given)
    [found] = [r for r in records(connector, Stream.LINE_ITEMS) if isinstance(r, LineItem) and r.id == item]
    assert (found.name, found.opportunity, found.quantity) == ("Turbine", deal, Decimal(3))
    assert (found.amount, found.discount) == (Decimal(243), Decimal(10))


def test_where_products_are_hidden_a_line_item_has_its_own_name(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    sandbox.faults.add("error", path="/Product2/describe", code="NOT_FOUND", status=404, times=0)
    readers = connector._readers(Stream.LINE_ITEMS, ())
    assert "Product2.Name" not in readers[0].columns
    assert "name" in readers[0].supplied


def test_everybody_who_took_part_is_linked(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    org = sandbox.org
    people = [str(row["Id"]) for row in org.query("SELECT Id FROM Contact ORDER BY Id LIMIT 3")]
    task = org.create("Task", {"Subject": "Call", "WhoId": people[0], "Status": "Completed"})
    begins, ends = "2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"
    times = {"StartDateTime": begins, "EndDateTime": ends}
    event = org.create("Event", {"Subject": "Demo", "WhoId": people[0], **times})
    for sobject, activity in (("Task", task), ("Event", event)):
        described = org.store.schema[sobject]
        org.store.add_column(described, typed("WhoCount", "int", read_only=True))
        org.store.update(described, activity, {"WhoCount": len(people)})
    for person in people[1:]:
        org.create("TaskRelation", {"TaskId": task, "RelationId": person})
        org.create("EventRelation", {"EventId": event, "RelationId": person, "IsInvitee": True})
    links = [r for r in records(connector, Stream.ACTIVITIES) if isinstance(r, ActivityLink)]
    for activity in (task, event):
        assert sorted(r.record for r in links if r.activity == activity) == sorted(people)


@pytest.mark.parametrize(("incoming", "expected"), [(True, "inbound"), (False, "outbound")])
def test_an_email_that_salesforce_holds_tells_its_direction(
    sandbox: SalesforceSandbox, connector: SalesforceConnector, incoming: bool, expected: str
) -> None:
    org, deal = sandbox.org, first(sandbox, "Opportunity")
    logged = {"Subject": "Offer", "WhatId": deal, "TaskSubtype": "Email", "Status": "Completed"}
    task = org.create("Task", logged)
    message = org.create("EmailMessage", {"Subject": "Offer", "Incoming": incoming, "RelatedToId": deal})
    org.store.update(org.store.schema["EmailMessage"], message, {"ActivityId": task})
    found = {r.id: r for r in records(connector, Stream.ACTIVITIES) if isinstance(r, Activity)}
    assert (found[task].type, found[task].direction) == ("email", expected)


def test_a_page_without_emails_or_groups_of_people_asks_for_nothing_more(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    records(connector, Stream.ACTIVITIES)
    asked = [request.query for request in sandbox.requests if "/query" in request.path]
    assert not any("FROM+TaskRelation" in query or "FROM+EmailMessage" in query for query in asked)


def changes(
    connector: SalesforceConnector, deal: str, *custom: str
) -> list[tuple[str, str | None, str | None]]:
    found = [r for r in records(connector, Stream.FIELD_CHANGES, *custom) if isinstance(r, FieldChange)]
    return [(r.field, r.old, r.new) for r in sorted(found, key=lambda r: r.at) if r.record == deal]


def test_every_change_of_amount_and_close_date_is_told(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    deal = str(sandbox.org.query("SELECT Id FROM Opportunity WHERE Name = 'Deal 99'")[0]["Id"])
    for fields in ({"CloseDate": "2027-01-31"}, {"Amount": 900}, {"CloseDate": "2027-02-28"}):
        sandbox.clock.advance(timedelta(hours=1))
        sandbox.org.update("Opportunity", deal, fields)
    assert changes(connector, deal) == [
        ("close_date", "2026-12-31", "2027-01-31"),
        ("amount", "1099.5", "900"),
        ("close_date", "2027-01-31", "2027-02-28"),
    ]
    supply = connector.supply(Stream.FIELD_CHANGES, ())
    assert supply.whole == {"amount", "close_date", "probability", "forecast_category"}


def test_tracked_fields_add_what_they_know(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    deal = str(sandbox.org.query("SELECT Id FROM Opportunity WHERE Name = 'Deal 99'")[0]["Id"])
    other = first(sandbox, "User", "WHERE IsActive = true AND UserType = 'Standard'")
    [row] = sandbox.org.query(f"SELECT OwnerId FROM Opportunity WHERE Id = '{deal}'")
    history = {str(row["Field"]) for row in sandbox.org.query("SELECT Field FROM OpportunityFieldHistory")}
    sandbox.org.update("Opportunity", deal, {"NextStep": "Call Zoë", "OwnerId": other})
    told = {str(row["Field"]) for row in sandbox.org.query("SELECT Field FROM OpportunityFieldHistory")}
    found = changes(connector, deal)
    if "NextStep" in told - history:
        assert ("next_step", None, "Call Zoë") in found
    owners = [change for change in found if change[0] == "owner"]
    assert owners in ([], [("owner", str(row["OwnerId"]), other)])


def test_field_changes_that_were_not_asked_for_stay_in_the_crm(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    records(connector, Stream.FIELD_CHANGES, "Champion__c")
    [asked] = [r.query for r in sandbox.requests if "FROM+OpportunityFieldHistory" in r.query]
    assert "Champion__c" in asked
    assert "Pipelint" not in asked


@pytest.fixture
def abroad() -> Iterator[SalesforceSandbox]:
    """An org with several currencies."""
    with SalesforceSandbox(size=20, now=NOW, multi_currency=True) as sandbox:
        yield sandbox


def test_an_org_with_several_currencies_tells_their_rates_by_day(
    abroad: SalesforceSandbox, connect: Connect
) -> None:
    connector = connect(abroad)
    assert Stream.EXCHANGE_RATES in connector.streams()
    found = [r for r in records(connector, Stream.EXCHANGE_RATES) if isinstance(r, ExchangeRate)]
    for_ever = {r.currency: r.per_home for r in found if r.start is None}
    assert Decimal(1) in for_ever.values()
    dated = [r for r in found if r.start is not None]
    assert dated
    assert all(r.start >= date(2000, 1, 1) and r.currency in for_ever for r in dated if r.start)
    currencies = {r.currency for r in records(connector, Stream.OPPORTUNITIES) if isinstance(r, Opportunity)}
    assert len(currencies) > 1


def test_an_org_with_one_currency_is_not_asked_for_rates(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    assert Stream.EXCHANGE_RATES not in connector.streams()
    assert not any("CurrencyType" in request.path for request in sandbox.requests)


# Deletions, and what leaves no stamp


def test_what_was_purged_from_the_bin_is_read_anew(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    pages = list(connector.pull(Stream.ACCOUNTS, None, ()))
    gone = first(sandbox, "Account")
    sandbox.clock.advance(timedelta(hours=1))
    sandbox.org.delete("Account", gone)
    sandbox.clock.advance(timedelta(hours=1))
    sandbox.org.purge_deleted()
    after = list(connector.pull(Stream.ACCOUNTS, pages[-1].cursor, ()))
    assert after[0].begins_full
    assert after[-1].ends_full
    state = settle(settle({}, pages), after)
    assert ("Account", gone) not in state
    assert state == settle({}, connector.pull(Stream.ACCOUNTS, None, ()))


def test_a_deletion_that_only_the_log_tells_is_told_once(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    pages = list(connector.pull(Stream.ACCOUNTS, None, ()))
    gone = first(sandbox, "Account")
    log = {
        "deletedRecords": [{"id": gone[:15], "deletedDate": "2026-11-21T09:00:00.000+0000"}],
        "earliestDateAvailable": "2026-11-01T00:00:00.000+0000",
        "latestDateCovered": "2026-11-21T09:00:00.000+0000",
    }
    body = json.dumps(log)
    sandbox.faults.add("respond", path="/Account/deleted", status=200, body=body, times=0)
    after = list(connector.pull(Stream.ACCOUNTS, pages[-1].cursor, ()))
    assert [list(page.deleted) for page in after] == [[gone], []]
    again = list(connector.pull(Stream.ACCOUNTS, after[-1].cursor, ()))
    assert [list(page.deleted) for page in again] == [[]]


def test_a_deletion_that_bin_and_log_tell_is_told_once(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    pages = list(connector.pull(Stream.ACCOUNTS, None, ()))
    gone = first(sandbox, "Account")
    sandbox.org.delete("Account", gone)
    after = list(connector.pull(Stream.ACCOUNTS, pages[-1].cursor, ()))
    assert [id_ for page in after for id_ in page.deleted] == [gone]


def test_a_record_that_comes_back_is_delivered_again(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    pages = list(connector.pull(Stream.ACCOUNTS, None, ()))
    account = first(sandbox, "Account")
    sandbox.org.delete("Account", account)
    without = list(connector.pull(Stream.ACCOUNTS, pages[-1].cursor, ()))
    store = sandbox.org.store
    store.update(store.schema["Account"], account, {"IsDeleted": 0})
    back = list(connector.pull(Stream.ACCOUNTS, without[-1].cursor, ()))
    assert ("Account", account) in settle(settle(settle({}, pages), without), back)


def test_records_are_read_whole_again_when_it_is_time(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    """Formulas and sharing leave no stamp; activities are read whole a week apart."""
    cursors = {}
    for stream in (Stream.ACCOUNTS, Stream.ACTIVITIES):
        cursors[stream] = list(connector.pull(stream, None, ()))[-1].cursor
    for hours, whole in ((12, []), (12, [Stream.ACCOUNTS]), (144, [Stream.ACCOUNTS, Stream.ACTIVITIES])):
        sandbox.clock.advance(timedelta(hours=hours))
        begun = []
        for stream in cursors:
            pages = list(connector.pull(stream, cursors[stream], ()))
            cursors[stream] = pages[-1].cursor
            begun += [stream] if pages[0].begins_full else []
        assert begun == whole


def test_a_record_that_we_may_not_see_any_more_goes(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    """Sharing takes it away without a trace: it is neither changed nor deleted."""
    pages = list(connector.pull(Stream.ACCOUNTS, None, ()))
    hidden = first(sandbox, "Account")
    sandbox.org.store.remove(sandbox.org.store.schema["Account"], hidden)
    sandbox.clock.advance(timedelta(days=1))
    after = settle(settle({}, pages), connector.pull(Stream.ACCOUNTS, pages[-1].cursor, ()))
    assert ("Account", hidden) not in after
    assert len(after) == len(settle({}, pages)) - 1


def test_a_merge_names_the_record_that_stayed(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    pages = list(connector.pull(Stream.ACCOUNTS, None, ()))
    winner, loser = (str(r["Id"]) for r in sandbox.org.query("SELECT Id FROM Account ORDER BY Id LIMIT 2"))
    sandbox.org.delete("Account", loser)
    store = sandbox.org.store
    store.update(store.schema["Account"], loser, {"MasterRecordId": winner})
    after = list(connector.pull(Stream.ACCOUNTS, pages[-1].cursor, ()))
    assert {k: v for page in after for k, v in page.merged.items()} == {loser: winner}
    assert loser in [id_ for page in after for id_ in page.deleted]


def test_a_field_history_that_is_cut_between_its_two_sources_goes_on(
    sandbox: SalesforceSandbox, connector: SalesforceConnector, tmp_path: Path
) -> None:
    pages = list(connector.pull(Stream.FIELD_CHANGES, None, ()))
    assert [page.begins_full for page in pages] == [True, *[False] * (len(pages) - 1)]
    assert [page.ends_full for page in pages] == [*[False] * (len(pages) - 1), True]
    rest = list(connector.pull(Stream.FIELD_CHANGES, pages[0].cursor, ()))
    assert rest[-1].ends_full
    assert not any(page.begins_full for page in rest)
