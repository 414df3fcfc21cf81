"""What each stream makes of HubSpot's records, where the portal has something unusual."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelint.connectors.contract import settle
from pipelint.connectors.hubspot import pull
from pipelint.connectors.hubspot.connector import HubSpotConnector
from pipelint.records import FieldChange, Opportunity, Owner, Stage, Stream
from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.hubspot.history import Source
from pipelint.sandbox.hubspot.object_types import DEALS
from pipelint.sandbox.hubspot.owners import Owner as SandboxOwner

Connect = Callable[..., HubSpotConnector]


def full(connector: HubSpotConnector, stream: Stream) -> dict[Any, Any]:
    return settle({}, connector.pull(stream, None, ()))


def deal(connector: HubSpotConnector, id_: str) -> Opportunity:
    found = full(connector, Stream.OPPORTUNITIES).values()
    return next(each for each in found if isinstance(each, Opportunity) and each.id == id_)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (Source("CRM_UI", "userId:61000001", 61_000_001), "user"),
        (Source("MOBILE_IOS"), "user"),
        (Source("IMPORT"), "import"),
        (Source("API"), "api"),
        (Source("INTEGRATION", "17845231"), "api"),
        (Source("AUTOMATION_PLATFORM"), "workflow"),
        (Source("WORKFLOWS"), "workflow"),
        (Source("SOMETHING_NEW"), "something_new"),
    ],
    ids=lambda value: value.type if isinstance(value, Source) else "",
)
def test_changes_by_people_imports_workflows_and_the_api_are_told_apart(
    connector: HubSpotConnector, sandbox: HubSpotSandbox, source: Source, told: str
) -> None:
    sandbox.clock.advance(timedelta(days=1))
    sandbox.portal.update("deals", sandbox.portal.ids("deals")[0], {"amount": "7"}, source)
    changes = [
        each for each in full(connector, Stream.FIELD_CHANGES).values() if isinstance(each, FieldChange)
    ]
    assert [(each.field, each.new, each.source) for each in changes] == [("amount", "7", told)]


TIMES = {"stage_entered_at", "closed_at"}


def test_the_entry_into_the_stage_is_read_where_the_plan_has_it(
    sandbox: HubSpotSandbox, connector: HubSpotConnector
) -> None:
    id_ = sandbox.portal.ids("deals")[0]
    sandbox.clock.advance(timedelta(days=3))
    sandbox.portal.update("deals", id_, {"dealstage": "closedwon"})
    moved = datetime(2026, 11, 23, 9, tzinfo=UTC)
    found = deal(connector, id_)
    assert (found.stage_entered_at, found.closed_at) == (moved, moved)
    assert connector.supply(Stream.OPPORTUNITIES, ()).fields >= TIMES


def test_where_the_plan_has_no_time_of_entry_none_is_made_up_and_stage_changes_say_it(
    sandbox: HubSpotSandbox, connector: HubSpotConnector
) -> None:
    sandbox.portal.without_stage_times()
    found = deal(connector, sandbox.portal.ids("deals")[0])
    assert (found.stage_entered_at, found.closed_at) == (None, None)
    assert not connector.supply(Stream.OPPORTUNITIES, ()).fields & TIMES
    assert connector.supply(Stream.STAGE_CHANGES, ()).fields >= {"at", "to_stage"}


def test_properties_that_have_no_room_in_an_address_arrive_all_the_same(
    connector: HubSpotConnector, sandbox: HubSpotSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = full(connector, Stream.OPPORTUNITIES)
    monkeypatch.setattr(pull, "LONGEST", 60)
    before = len(sandbox.requests)
    assert full(connector, Stream.OPPORTUNITIES) == whole
    assert sum(request.path.endswith("/batch/read") for request in sandbox.requests[before:]) >= 4


def test_owners_who_left_are_known_by_name_and_not_active(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    sandbox.portal.owners.append(SandboxOwner(72, 62, "Paul", "Roche", "paul@sandbox.example", archived=True))
    owners = {each.id: each for each in full(connector, Stream.OWNERS).values() if isinstance(each, Owner)}
    assert (owners["72"].name, owners["72"].active) == ("Paul Roche", False)
    assert owners["71000001"].active


def test_a_stage_that_is_put_away_is_not_told_any_more_and_its_deals_stay(
    sandbox: HubSpotSandbox, connect: Connect
) -> None:
    id_ = sandbox.portal.ids("deals")[0]
    [stage] = [
        it for it in sandbox.portal.pipelines[DEALS].get("default").stages if it.id == "qualifiedtobuy"
    ]
    stage.archived_at = sandbox.portal.now()
    connector = connect(sandbox)
    stages = {each.id for each in full(connector, Stream.STAGES).values() if isinstance(each, Stage)}
    assert "qualifiedtobuy" not in stages
    assert "contractsent" in stages
    found = deal(connector, id_)
    assert (found.stage, found.is_open) == ("qualifiedtobuy", True)


@pytest.mark.parametrize("stream", [Stream.OPPORTUNITIES, Stream.LEADS], ids=str)
@pytest.mark.parametrize("how", ["archive", "purge"])
def test_what_was_archived_or_deleted_for_good_is_gone_after_a_day(
    connector: HubSpotConnector, sandbox: HubSpotSandbox, stream: Stream, how: str
) -> None:
    kind = "deals" if stream is Stream.OPPORTUNITIES else "leads"
    if kind == "leads":
        for name in ("One", "Two"):
            sandbox.portal.create("leads", {"hs_lead_name": name})
    before = list(connector.pull(stream, None, ()))
    gone, *kept = sandbox.portal.ids(kind)
    getattr(sandbox.portal, how)(kind, gone)
    sandbox.clock.advance(timedelta(days=1))
    after = settle(settle({}, before), connector.pull(stream, before[-1].cursor, ()))
    assert {each.id for each in after.values()} == set(kept)  # type: ignore[union-attr]


def test_a_deal_that_was_restored_is_back(connector: HubSpotConnector, sandbox: HubSpotSandbox) -> None:
    id_ = sandbox.portal.ids("deals")[0]
    sandbox.portal.archive("deals", id_)
    before = list(connector.pull(Stream.OPPORTUNITIES, None, ()))
    sandbox.clock.advance(timedelta(hours=1))
    sandbox.portal.restore("deals", id_)
    after = settle(settle({}, before), connector.pull(Stream.OPPORTUNITIES, before[-1].cursor, ()))
    assert id_ in {each.id for each in after.values()}  # type: ignore[union-attr]


def test_a_contact_may_have_several_roles(connector: HubSpotConnector, sandbox: HubSpotSandbox) -> None:
    portal = sandbox.portal
    id_, contact = portal.ids("deals")[1], portal.ids("contacts")[4]
    portal.associate("deals", id_, "contacts", contact, "Champion", "Evaluator")
    roles = [each for each in full(connector, Stream.CONTACT_ROLES).values() if each.contact == contact]
    assert {each.role for each in roles if each.opportunity == id_} == {"Champion", "Evaluator"}
