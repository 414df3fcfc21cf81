"""What a pull asks HubSpot for: pages as full as they can be, nothing twice, and little where nothing changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from pipelint.connectors.contract import State, settle
from pipelint.connectors.hubspot import roles, search
from pipelint.connectors.hubspot.connector import HubSpotConnector
from pipelint.records import Activity, ActivityLink, ContactRole, Stream
from pipelint.sandbox.hubspot import HubSpotSandbox, objects, told
from pipelint.sandbox.hubspot.object_types import CONTACTS, DEALS, ObjectType

Connect = Callable[..., HubSpotConnector]
Cursors = dict[Stream, str]


@pytest.fixture(autouse=True)
def quiet_hour(sandbox: HubSpotSandbox) -> None:
    """Nothing changed lately: pulls overlap a little, and what changed then is looked at twice."""
    sandbox.clock.advance(timedelta(hours=1))


def pulled(connector: HubSpotConnector, cursors: Cursors | None = None) -> tuple[State, Cursors]:
    """All streams in their order, as the engine pulls them."""
    state: State = {}
    after: Cursors = {}
    for stream in connector.streams():
        connector.supply(stream, ())
        pages = list(connector.pull(stream, cursors[stream] if cursors else None, ()))
        state |= settle({}, pages)
        after[stream] = pages[-1].cursor
    return state, after


def asked(sandbox: HubSpotSandbox) -> Counter[str]:
    """The requests since the last call, by the end of their path."""
    seen = Counter(request.path.replace("/2026-09", "").removeprefix("/crm/") for request in sandbox.requests)
    sandbox.requests.clear()
    return seen


def test_a_first_pull_lists_each_type_once_and_asks_only_for_links_whose_labels_matter(
    sandbox: HubSpotSandbox, connect: Connect
) -> None:
    state, _ = pulled(connect(sandbox))
    assert any(isinstance(record, ActivityLink) for record in state.values())
    seen = asked(sandbox)
    links = {path for path in seen if path.startswith("associations/")}
    assert links == {
        f"associations/{pair}/batch/read"
        for pair in ("contacts/companies", "deals/companies", "deals/contacts")
    }
    assert not [path for path in seen if path.endswith("/search")]


IDLE = {
    "/account-info/v3/details": 1,
    "owners": 2,
    "pipelines/deals": 1,
    **dict.fromkeys(("properties/deals", "properties/companies", "properties/line_items"), 1),
    # Whether they may be read.
    **{f"objects/{kind}": 1 for kind in ("companies", "contacts", "line_items", "leads")},
    **{f"objects/{kind}": 1 for kind in ("calls", "meetings", "tasks", "notes", "emails")},
    # What changed, and what happened or was planned by time alone.
    **{f"objects/{kind}/search": 1 for kind in ("companies", "contacts", "deals", "line_items", "leads")},
    **{f"objects/{kind}/search": 1 for kind in ("tasks", "notes", "emails")},
    "objects/calls/search": 2,
    "objects/meetings/search": 3,  # by their end, and by their beginning where they have none
}


def test_a_pull_where_nothing_changed_looks_at_each_type_and_no_further(
    sandbox: HubSpotSandbox, connect: Connect
) -> None:
    _, cursors = pulled(connect(sandbox))
    sandbox.clock.advance(timedelta(hours=1))
    asked(sandbox)
    assert pulled(connect(sandbox), cursors)[0] == {}
    assert asked(sandbox) == IDLE


def test_changed_deals_are_completed_by_the_page_and_not_one_by_one(
    sandbox: HubSpotSandbox, connect: Connect
) -> None:
    deals = sandbox.portal.create_many("deals", 450)
    sandbox.clock.advance(timedelta(hours=1))
    _, cursors = pulled(connect(sandbox))
    sandbox.clock.advance(timedelta(hours=1))
    for deal in deals:
        sandbox.clock.advance(timedelta(seconds=1))
        sandbox.portal.update("deals", deal, {"hs_next_step": "Call"})
    asked(sandbox)
    _, cursors = pulled(connect(sandbox), cursors)
    found = {"objects/deals/search": 2, "associations/deals/companies/batch/read": 1}
    completed = {"objects/deals/batch/read": 9, "associations/deals/contacts/batch/read": 1}
    assert asked(sandbox) - Counter(IDLE) == found | completed
    pulled(connect(sandbox), cursors)
    assert asked(sandbox) - Counter(IDLE) == found, "pulls overlap, and what is told again is the same"


def test_links_that_are_too_many_for_a_list_are_asked_for(
    sandbox: HubSpotSandbox, connector: HubSpotConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "LINKS_SHOWN", 2)
    call, deals = sandbox.portal.ids("calls")[0], sandbox.portal.ids("deals")
    for deal in deals:
        sandbox.portal.associate("calls", call, "deals", deal)
    asked(sandbox)
    state = settle({}, connector.pull(Stream.ACTIVITIES, None, ()))
    links = [
        one for one in state.values() if isinstance(one, ActivityLink) and one.activity == f"calls:{call}"
    ]
    assert sorted(one.record for one in links) == deals
    assert asked(sandbox)["associations/calls/deals/batch/read"] == 1


@pytest.mark.parametrize("names", ["no types at all", "other names"])
def test_links_that_a_list_does_not_tell_as_expected_are_asked_for(
    sandbox: HubSpotSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch, names: str
) -> None:
    expected = settle({}, connect(sandbox).pull(Stream.ACTIVITIES, None, ()))
    if names == "other names":
        monkeypatch.setattr(ObjectType, "label", property(lambda kind: kind.type_id))
    else:
        monkeypatch.setattr(objects, "_associations", lambda call: [])
    assert settle({}, connect(sandbox).pull(Stream.ACTIVITIES, None, ())) == expected


def test_what_contacts_say_of_their_part_is_asked_where_no_label_does(
    sandbox: HubSpotSandbox, connector: HubSpotConnector
) -> None:
    for deal, contact in zip(sandbox.portal.ids("deals"), sandbox.portal.ids("contacts"), strict=True):
        sandbox.portal.associate("deals", deal, "contacts", contact, "Champion")
    list(connector.pull(Stream.CONTACT_ROLES, None, ()))
    assert "objects/contacts/batch/read" not in asked(sandbox)


def test_contacts_are_looked_at_by_the_deals_that_were_listed_and_searched_for_where_none_were(
    sandbox: HubSpotSandbox, connector: HubSpotConnector
) -> None:
    deals = list(connector.pull(Stream.OPPORTUNITIES, None, ()))
    asked(sandbox)
    first = list(connector.pull(Stream.CONTACT_ROLES, None, ()))
    assert "objects/deals/search" not in asked(sandbox)
    assert settle({}, first) == settle({}, connector.pull(Stream.CONTACT_ROLES, None, ()))
    assert asked(sandbox)["objects/deals/search"] == 1

    sandbox.clock.advance(timedelta(hours=23))
    list(connector.pull(Stream.OPPORTUNITIES, deals[-1].cursor, ()))
    asked(sandbox)
    daily = list(connector.pull(Stream.CONTACT_ROLES, first[-1].cursor, ()))
    assert "objects/deals/search" not in asked(sandbox)
    assert len([record for page in daily for record in page.records]) == len(sandbox.portal.ids("deals"))
    sandbox.clock.advance(roles.LATEST)
    list(connector.pull(Stream.CONTACT_ROLES, daily[-1].cursor, ()))
    assert asked(sandbox)["objects/deals/search"] == 1


def test_a_look_at_all_contacts_goes_on_where_it_was_cut(
    sandbox: HubSpotSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "AT_ONCE", 5)
    whole = settle({}, connect(sandbox).pull(Stream.CONTACT_ROLES, None, ()))
    for relisted in (False, True):
        connector = connect(sandbox)
        list(connector.pull(Stream.OPPORTUNITIES, None, ()))
        first = next(iter(connector.pull(Stream.CONTACT_ROLES, None, ())))
        later = connect(sandbox)
        if relisted:
            list(later.pull(Stream.OPPORTUNITIES, None, ()))
        rest = list(later.pull(Stream.CONTACT_ROLES, first.cursor, ()))
        assert settle({}, [first, *rest]) == whole
        assert sum(len(page.parents) for page in rest) == len(sandbox.portal.ids("deals")) - 5


def test_a_contact_that_left_a_deal_is_gone_with_the_next_look_at_it(
    sandbox: HubSpotSandbox, connector: HubSpotConnector
) -> None:
    pages = list(connector.pull(Stream.CONTACT_ROLES, None, ()))
    deal, contact = sandbox.portal.ids("deals")[0], sandbox.portal.ids("contacts")[0]
    sandbox.portal.links.remove(DEALS, int(deal), CONTACTS, int(contact))
    sandbox.clock.advance(timedelta(days=1))
    after = settle(settle({}, pages), connector.pull(Stream.CONTACT_ROLES, pages[-1].cursor, ()))
    left = {one.opportunity for one in after.values() if isinstance(one, ContactRole)}
    assert left == {*sandbox.portal.ids("deals")} - {deal}


def test_the_place_of_a_stream_does_not_grow_with_the_account(
    sandbox: HubSpotSandbox, connect: Connect
) -> None:
    _, small = pulled(connect(sandbox))
    for deal in sandbox.portal.create_many("deals", 300):
        sandbox.portal.associate("deals", deal, "contacts", sandbox.portal.ids("contacts")[0])
    sandbox.clock.advance(timedelta(days=8))
    _, large = pulled(connect(sandbox), small)
    assert {stream: len(text) for stream, text in large.items() if len(text) > 300} == {}


def test_what_happened_by_time_alone_comes_in_pages_and_goes_on_where_it_was_cut(
    sandbox: HubSpotSandbox, connector: HubSpotConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE_ROWS", 2)
    planned = {
        sandbox.portal.create("calls", {"hs_timestamp": f"2026-11-20T1{hour}:30:00Z"}) for hour in range(1, 6)
    }
    sandbox.clock.advance(timedelta(hours=1))
    cursor = list(connector.pull(Stream.ACTIVITIES, None, ()))[-1].cursor
    sandbox.clock.advance(timedelta(hours=20))
    pages = list(connector.pull(Stream.ACTIVITIES, cursor, ()))
    happened = [page for page in pages if page.records]
    assert max(len(page.records) for page in happened) == 2
    rest = connector.pull(Stream.ACTIVITIES, happened[0].cursor, ())
    records = [*happened[0].records, *(record for page in rest for record in page.records)]
    assert sorted(record.id for record in records if isinstance(record, Activity)) == sorted(
        f"calls:{id_}" for id_ in planned
    )
