"""What a pull from HubSpot brings, and how it follows merges, archives, links and other versions of the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipelint.connectors.contract import State, settle
from pipelint.connectors.hubspot import pull, search
from pipelint.connectors.hubspot.answers import Row, Rows
from pipelint.connectors.hubspot.connector import HubSpotConnector
from pipelint.errors import PermissionMissing, UnexpectedAnswer
from pipelint.records import (
    Account,
    Activity,
    ContactRole,
    FieldChange,
    Lead,
    Opportunity,
    StageChange,
    Stream,
)
from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.hubspot.auth import SCOPES
from tests.connectors.hubspot.conftest import connection


def full(connector: HubSpotConnector, stream: Stream) -> State:
    return settle({}, connector.pull(stream, None, ()))


def cursor(connector: HubSpotConnector, stream: Stream) -> str:
    return list(connector.pull(stream, None, ()))[-1].cursor


def of(state: State, kind: type) -> list:  # type: ignore[type-arg]  # a list of that kind
    return [record for record in state.values() if isinstance(record, kind)]


def test_both_families_of_paths_bring_the_same(
    sandbox: HubSpotSandbox, connect: Callable[..., HubSpotConnector]
) -> None:
    dated, old = connect(sandbox), connect(sandbox, read_version="v3", write_version="v3")
    for stream in dated.streams():
        assert full(dated, stream) == full(old, stream), stream


def test_a_deal_is_read_with_its_company_its_stage_and_its_day(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    # Midnight in Paris is the day before in UTC: the date is meant where the account is.
    deal = sandbox.portal.ids("deals")[0]
    sandbox.portal.update("deals", deal, {"closedate": "2026-12-30T23:00:00Z"})
    [found] = [one for one in of(full(connector, Stream.OPPORTUNITIES), Opportunity) if one.id == deal]
    assert (found.amount, found.currency, found.close_date) == (Decimal("1000.5"), "EUR", date(2026, 12, 31))
    assert (found.is_open, found.stage, found.pipeline) == (True, "qualifiedtobuy", "default")
    [company] = [one for one in of(full(connector, Stream.ACCOUNTS), Account) if one.id == found.account]
    assert company.name == "Company 0"


def test_the_stage_is_dated_by_its_entry(connector: HubSpotConnector, sandbox: HubSpotSandbox) -> None:
    deal = sandbox.portal.ids("deals")[0]
    sandbox.clock.advance(timedelta(days=3))
    sandbox.portal.update("deals", deal, {"dealstage": "contractsent"})
    [found] = [one for one in of(full(connector, Stream.OPPORTUNITIES), Opportunity) if one.id == deal]
    assert found.stage_entered_at == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_merge_makes_a_new_deal_and_the_old_ones_are_gone(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    before = list(connector.pull(Stream.OPPORTUNITIES, None, ()))
    first, second = sandbox.portal.ids("deals")[:2]
    sandbox.clock.advance(timedelta(minutes=20))
    merged = sandbox.portal.merge("deals", first, second)
    following = list(connector.pull(Stream.OPPORTUNITIES, before[-1].cursor, ()))
    ids = {one.id for one in of(settle(settle({}, before), following), Opportunity)}
    assert merged in ids
    assert not ids & ({first, second} - {merged})
    assert following[0].merged == {first: merged, second: merged}


@pytest.mark.parametrize(
    ("stream", "kind"), [(Stream.ACCOUNTS, "companies"), (Stream.CONTACTS, "contacts")], ids=str
)
def test_a_company_or_contact_that_was_merged_away_is_told_with_the_one_that_stays(
    connector: HubSpotConnector, sandbox: HubSpotSandbox, stream: Stream, kind: str
) -> None:
    before = list(connector.pull(stream, None, ()))
    first, second, third = sandbox.portal.ids(kind)[:3]
    sandbox.clock.advance(timedelta(minutes=20))
    sandbox.portal.merge(kind, second, third)
    sandbox.portal.merge(kind, first, second)
    following = list(connector.pull(stream, before[-1].cursor, ()))
    assert following[0].merged == {second: first, third: first}
    assert not {second, third} & {each.id for each in settle(settle({}, before), following).values()}  # type: ignore[union-attr]
    sandbox.clock.advance(timedelta(days=8))
    weekly = list(connector.pull(stream, following[-1].cursor, ()))
    assert weekly[0].begins_full
    assert weekly[0].merged == {second: first, third: first}


def test_a_deal_that_is_merged_between_a_list_and_its_further_properties_stops_nothing(
    connector: HubSpotConnector, sandbox: HubSpotSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks for it may be told of the one that it went into, under that one's id (fact sheet §5)."""
    first, second, *others = sandbox.portal.ids("deals")
    read = pull.batch_read

    def meanwhile(*args: Any) -> list[Row]:
        return [*read(*args), Row(sandbox.portal.merge("deals", first, second), {"dealname": "Both"})]

    monkeypatch.setattr(pull, "LONGEST", 200)
    monkeypatch.setattr(pull, "batch_read", meanwhile)
    found = {one.id for one in of(full(connector, Stream.OPPORTUNITIES), Opportunity)}
    assert found == {first, second, *others}, "as listed; what came of the two is told by the next pull"


def test_deals_that_colleagues_edit_during_a_pull_hide_no_others(
    sandbox: HubSpotSandbox, connector: HubSpotConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE_ROWS", 5)
    deals = sandbox.portal.ids("deals")
    place = cursor(connector, Stream.OPPORTUNITIES)
    sandbox.clock.advance(timedelta(minutes=20))
    for deal in deals:
        sandbox.clock.advance(timedelta(seconds=1))
        sandbox.portal.update("deals", deal, {"hs_next_step": "Call"})
    edited: list[str] = []
    searches = connector._client.search

    def edit_what_was_read(path: str, body: object, *, name: str) -> Rows:
        page = searches(path, body, name=name)
        if not edited:
            edited.extend(deals[:3])
            for deal in edited:
                sandbox.portal.update("deals", deal, {"hs_next_step": "Call again"})
        return page

    monkeypatch.setattr(connector._client, "search", edit_what_was_read)
    assert {
        one.id for one in of(settle({}, connector.pull(Stream.OPPORTUNITIES, place, ())), Opportunity)
    } == {*deals}


def test_all_histories_are_read_anew_once_a_month(
    sandbox: HubSpotSandbox, connect: Callable[..., HubSpotConnector]
) -> None:
    def pulled(*cursors: str | None) -> tuple[list[str], list[str]]:
        """The streams of histories that were read in full, and their places."""
        connector, full, places = connect(sandbox), [], []
        for stream, place in zip((Stream.STAGE_CHANGES, Stream.FIELD_CHANGES), cursors, strict=True):
            pages = list(connector.pull(stream, place, ()))
            full += [stream.value] if pages[-1].ends_full else []
            places.append(pages[-1].cursor)
        return full, places

    _, first = pulled(None, None)
    sandbox.clock.advance(timedelta(days=29))
    full, second = pulled(*first)
    assert full == []
    sandbox.clock.advance(timedelta(days=1))
    sandbox.requests.clear()
    assert pulled(*second)[0] == ["stage_change", "field_change"]
    assert sum(request.path.endswith("/deals") for request in sandbox.requests) == 1, "read once for both"


def test_archived_deals_are_gone_after_the_next_full_pull_of_the_day(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    before = list(connector.pull(Stream.OPPORTUNITIES, None, ()))
    gone = sandbox.portal.ids("deals")[0]
    sandbox.portal.archive("deals", gone)
    sandbox.clock.advance(timedelta(days=1))
    pages = list(connector.pull(Stream.OPPORTUNITIES, before[-1].cursor, ()))
    assert pages[0].begins_full
    assert gone not in {one.id for one in of(settle({}, pages), Opportunity)}


def test_our_own_write_brings_the_record_once_more_and_nothing_else(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    place = cursor(connector, Stream.OPPORTUNITIES)
    deal = sandbox.portal.ids("deals")[3]
    sandbox.clock.advance(timedelta(minutes=20))
    sandbox.portal.update("deals", deal, {"description": "ours"})
    following = list(connector.pull(Stream.OPPORTUNITIES, place, ()))
    assert [one.id for page in following for one in page.records if isinstance(one, Opportunity)] == [deal]
    assert not [
        page for page in connector.pull(Stream.OPPORTUNITIES, following[-1].cursor, ()) if page.records
    ]


def test_histories_tell_moves_and_pushes_with_how_they_came_about(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    deal = sandbox.portal.ids("deals")[0]
    sandbox.clock.advance(timedelta(days=1))
    sandbox.portal.update("deals", deal, {"dealstage": "contractsent", "closedate": "2027-03-31T10:00:00Z"})
    moves = [one for one in of(full(connector, Stream.STAGE_CHANGES), StageChange) if one.opportunity == deal]
    assert [(one.from_stage, one.to_stage) for one in moves] == [
        (None, "qualifiedtobuy"),
        ("qualifiedtobuy", "contractsent"),
    ]
    changes = [one for one in of(full(connector, Stream.FIELD_CHANGES), FieldChange) if one.record == deal]
    told = {one.field: (one.old, one.new, one.source) for one in changes}
    assert told["close_date"] == ("2026-12-31", "2027-03-31", "user")


def test_a_value_that_is_entered_later_is_a_change_from_nothing(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    deal = sandbox.portal.ids("deals")[0]
    sandbox.clock.advance(timedelta(days=1))
    sandbox.portal.update("deals", deal, {"hs_next_step": "Send the offer"})
    changes = [one for one in of(full(connector, Stream.FIELD_CHANGES), FieldChange) if one.record == deal]
    assert [(one.field, one.old, one.new) for one in changes] == [("next_step", None, "Send the offer")]


def test_one_reading_of_the_histories_serves_both_streams(
    sandbox: HubSpotSandbox, connect: Callable[..., HubSpotConnector]
) -> None:
    alone = full(connect(sandbox), Stream.FIELD_CHANGES)
    connector = connect(sandbox)
    full(connector, Stream.STAGE_CHANGES)
    calls = connector.api_calls
    assert full(connector, Stream.FIELD_CHANGES) == alone
    assert connector.api_calls == calls


def test_roles_come_from_labels_or_from_what_the_contact_says(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    first, second = sandbox.portal.ids("deals")[:2]
    contacts = sandbox.portal.ids("contacts")
    sandbox.portal.associate("deals", first, "contacts", contacts[5], "Decision maker")
    sandbox.portal.update("contacts", contacts[1], {"hs_buying_role": "CHAMPION"})
    roles = of(full(connector, Stream.CONTACT_ROLES), ContactRole)
    assert [(one.contact, one.role) for one in roles if one.opportunity == first] == [
        (contacts[0], None),
        (contacts[5], "Decision maker"),
    ]
    assert [(one.contact, one.role) for one in roles if one.opportunity == second] == [
        (contacts[1], "CHAMPION")
    ]


def test_closed_deals_keep_their_contacts_through_the_daily_look_at_the_open_ones(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    won, *others = sandbox.portal.ids("deals")
    sandbox.portal.update("deals", won, {"dealstage": "closedwon"})
    sandbox.clock.advance(timedelta(hours=1))
    pages = list(connector.pull(Stream.CONTACT_ROLES, None, ()))
    assert won in {one.opportunity for page in pages for one in page.records if isinstance(one, ContactRole)}
    sandbox.clock.advance(timedelta(days=1))
    daily = list(connector.pull(Stream.CONTACT_ROLES, pages[-1].cursor, ()))
    assert not any(page.begins_full or page.ends_full for page in daily), "what is not told stays"
    looked_at = {one.opportunity for page in daily for one in page.records if isinstance(one, ContactRole)}
    assert looked_at == set(others)
    sandbox.clock.advance(timedelta(days=7))
    weekly = list(connector.pull(Stream.CONTACT_ROLES, daily[-1].cursor, ()))
    assert (weekly[0].begins_full, weekly[-1].ends_full) == (True, True)


@pytest.mark.parametrize("listed", [True, False], ids=["listed by the deals' pull", "searched for"])
def test_closed_deals_that_changed_are_looked_at_with_the_open_ones(
    sandbox: HubSpotSandbox, connect: Callable[..., HubSpotConnector], listed: bool
) -> None:
    portal, [boss, *_] = sandbox.portal, sandbox.portal.ids("contacts")
    lost, won, *others = portal.ids("deals")
    portal.update("deals", lost, {"dealstage": "closedlost"})
    sandbox.clock.advance(timedelta(hours=1))
    places = {
        stream: cursor(connect(sandbox), stream) for stream in (Stream.OPPORTUNITIES, Stream.CONTACT_ROLES)
    }
    sandbox.clock.advance(timedelta(hours=5))
    portal.associate("deals", won, "contacts", boss, "Decision maker")
    portal.update("deals", won, {"dealstage": "closedwon"})
    sandbox.clock.advance(timedelta(hours=19))
    nightly = connect(sandbox)
    if listed:
        list(nightly.pull(Stream.OPPORTUNITIES, places[Stream.OPPORTUNITIES], ()))
    pages = list(nightly.pull(Stream.CONTACT_ROLES, places[Stream.CONTACT_ROLES], ()))
    assert [parent for page in pages for parent in page.parents] == [won, *others]
    roles = [each for each in of(settle({}, pages), ContactRole) if each.opportunity == won]
    assert "Decision maker" in {each.role for each in roles}


def test_a_call_that_was_planned_has_happened_when_its_time_is_over(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    planned = sandbox.portal.create("calls", {"hs_timestamp": "2026-11-20T10:00:00Z"})
    state = settle({}, (pages := list(connector.pull(Stream.ACTIVITIES, None, ()))))
    [call] = [one for one in of(state, Activity) if one.id == f"calls:{planned}"]
    assert (call.happened_at, call.planned_at) == (None, datetime(2026, 11, 20, 10, tzinfo=UTC))
    sandbox.clock.advance(timedelta(hours=3))
    state = settle(state, connector.pull(Stream.ACTIVITIES, pages[-1].cursor, ()))
    [call] = [one for one in of(state, Activity) if one.id == f"calls:{planned}"]
    assert (call.happened_at, call.planned_at) == (datetime(2026, 11, 20, 10, tzinfo=UTC), None)


def test_a_portal_without_the_leads_object_has_its_early_contacts_as_leads(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    sandbox.portal.leads = False
    early = sandbox.portal.create("contacts", {"lastname": "Petit", "lifecyclestage": "lead"})
    [lead] = of(full(connector, Stream.LEADS), Lead)
    assert (lead.id, lead.contact) == (early, early)


@pytest.mark.parametrize(
    ("status", "category", "message"),
    [
        (400, "VALIDATION_ERROR", "Unable to infer object type from: leads"),
        (404, "OBJECT_NOT_FOUND", "resource not found"),
    ],
)
def test_a_portal_that_knows_no_leads_has_its_early_contacts_as_leads(
    connector: HubSpotConnector, sandbox: HubSpotSandbox, status: int, category: str, message: str
) -> None:
    early = sandbox.portal.create("contacts", {"lastname": "Petit", "lifecyclestage": "lead"})
    body = json.dumps({"status": "error", "category": category, "message": message})
    sandbox.faults.add("respond", path="/leads", status=status, body=body, times=0)
    assert Stream.LEADS in connector.streams()
    assert [each.id for each in of(full(connector, Stream.LEADS), Lead)] == [early]


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("kind", ["contacts", "leads"])
def test_a_page_of_something_else_hides_no_stream(
    connector: HubSpotConnector, sandbox: HubSpotSandbox, kind: str, status: int
) -> None:
    sandbox.faults.add("respond", path=f"/{kind}", status=status, body="<html>", content_type="text/html")
    with pytest.raises(UnexpectedAnswer, match=rf"refuses the {kind} \(HTTP {status}\)"):
        connector.streams()


def test_without_the_right_to_see_companies_deals_and_contacts_are_read_without_them(
    sandbox: HubSpotSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setenv("HUBSPOT_TOKEN", sandbox.token(*SCOPES - {"crm.objects.companies.read"}))
    with closing(connection(sandbox)) as connector:
        assert Stream.ACCOUNTS not in connector.streams()
        for stream in (Stream.OPPORTUNITIES, Stream.CONTACTS, Stream.ACTIVITIES):
            assert full(connector, stream), stream
            assert "account" not in connector.supply(stream, ()).fields
        assert {each.account for each in of(full(connector, Stream.OPPORTUNITIES), Opportunity)} == {None}


def test_of_many_contacts_only_the_early_ones_are_asked_for(
    connector: HubSpotConnector, sandbox: HubSpotSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE_ROWS", 2)
    sandbox.portal.leads = False
    stages = ["lead", "customer", "marketingqualifiedlead", "salesqualifiedlead", "subscriber", "lead"]
    ids = [sandbox.portal.create("contacts", {"lastname": "P", "lifecyclestage": stage}) for stage in stages]
    connector.streams()
    before = len(sandbox.requests)
    leads = of(full(connector, Stream.LEADS), Lead)
    assert {lead.id for lead in leads} == {ids[0], ids[2], ids[3], ids[5]}
    assert not any(it.path.endswith("/contacts") for it in sandbox.requests[before:])


def test_a_contact_that_is_no_customer_to_be_is_no_open_lead(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    sandbox.portal.leads = False
    for status in ("NEW", "UNQUALIFIED"):
        told = {"lastname": status, "lifecyclestage": "lead", "hs_lead_status": status}
        sandbox.portal.create("contacts", told)
    assert {it.name: it.is_open for it in of(full(connector, Stream.LEADS), Lead)} == {
        "NEW": True,
        "UNQUALIFIED": False,
    }


NO_MAIL = [scope for scope in SCOPES if "email" not in scope]


@pytest.fixture
def with_mail(sandbox: HubSpotSandbox) -> str:
    """An e-mail; its id with us."""
    return f"emails:{sandbox.portal.create('emails', {'hs_timestamp': '2026-11-19T10:00:00Z'})}"


def test_emails_whose_scope_is_granted_later_come_with_the_next_pull(
    sandbox: HubSpotSandbox, monkeypatch: pytest.MonkeyPatch, with_mail: str
) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", sandbox.token(*NO_MAIL))
    pages = list(connection(sandbox).pull(Stream.ACTIVITIES, None, ()))
    assert with_mail not in {it.id for it in of(settle({}, pages), Activity)}
    sandbox.clock.advance(timedelta(hours=1))
    monkeypatch.setenv("HUBSPOT_TOKEN", sandbox.token())
    later = settle({}, connection(sandbox).pull(Stream.ACTIVITIES, pages[-1].cursor, ()))
    assert with_mail in {it.id for it in of(later, Activity)}


def test_a_cut_pull_of_activities_goes_on_when_a_scope_was_taken_away(
    sandbox: HubSpotSandbox, monkeypatch: pytest.MonkeyPatch, with_mail: str
) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", sandbox.token())
    *_, mail = (it for it in connection(sandbox).pull(Stream.ACTIVITIES, None, ()) if not it.ends_full)
    monkeypatch.setenv("HUBSPOT_TOKEN", sandbox.token(*NO_MAIL))
    rest = settle({}, connection(sandbox).pull(Stream.ACTIVITIES, mail.cursor, ()))
    assert {it.type for it in of(rest, Activity)} == {"call"}


def test_a_meeting_without_an_end_has_happened_when_it_began(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    start = "2026-11-20T10:00:00Z"
    sandbox.portal.create("meetings", {"hs_timestamp": start, "hs_meeting_start_time": start})
    pages = list(connector.pull(Stream.ACTIVITIES, None, ()))
    sandbox.clock.advance(timedelta(hours=3))
    state = settle(settle({}, pages), connector.pull(Stream.ACTIVITIES, pages[-1].cursor, ()))
    [meeting] = [one for one in of(state, Activity) if one.type == "meeting"]
    assert (meeting.happened_at, meeting.planned_at) == (datetime(2026, 11, 20, 10, tzinfo=UTC), None)


def test_a_lead_is_read_with_its_contact(connector: HubSpotConnector, sandbox: HubSpotSandbox) -> None:
    portal = sandbox.portal
    made, alone = (portal.create("leads", {"hs_lead_name": name}) for name in ("Petit", "Grand"))
    portal.associate("leads", made, "contacts", portal.ids("contacts")[2])
    leads = {each.id: each.contact for each in of(full(connector, Stream.LEADS), Lead)}
    assert leads == {made: portal.ids("contacts")[2], alone: None}


def test_a_missing_scope_is_named(sandbox: HubSpotSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", sandbox.token("crm.objects.companies.read"))
    connector = connection(sandbox)
    with pytest.raises(PermissionMissing) as caught:
        full(connector, Stream.OPPORTUNITIES)
    assert "crm.objects.deals.read" in caught.value.hint
    connector.close()
