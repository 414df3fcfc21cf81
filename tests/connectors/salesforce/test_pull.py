"""What a pull delivers, at first and later: values, time that passes, gaps, columns that are added."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.connectors import registry
from pipelint.connectors.base import ConnectContext, OwnField
from pipelint.connectors.contract import State, settle
from pipelint.connectors.http import Session
from pipelint.connectors.salesforce.connector import SalesforceConnector
from pipelint.errors import Stop
from pipelint.records import (
    Account,
    Activity,
    ActivityLink,
    Opportunity,
    Owner,
    Pipeline,
    Record,
    Stage,
    StageChange,
    Stream,
)
from pipelint.sandbox.salesforce import SalesforceSandbox


def records(connector: SalesforceConnector, stream: Stream, *custom: str) -> list[Record]:
    return [record for page in connector.pull(stream, None, custom) for record in page.records]


def only(found: list[Record], **values: object) -> Record:
    matching = [r for r in found if all(getattr(r, name) == value for name, value in values.items())]
    assert len(matching) == 1
    return matching[0]


def test_an_opportunity(sandbox: SalesforceSandbox, connector: SalesforceConnector) -> None:
    deal = only(records(connector, Stream.OPPORTUNITIES), name="Deal 99")
    assert isinstance(deal, Opportunity)
    assert deal.amount == Decimal("1099.5")
    assert deal.close_date == date(2026, 12, 31)
    assert (deal.stage, deal.is_open, deal.is_won, deal.closed_at) == ("Prospecting", True, False, None)
    assert deal.stage_entered_at == deal.created_at
    assert deal.url == f"{sandbox.base_url}/lightning/r/Opportunity/{deal.id}/view"
    assert len(deal.id) == 18


def test_a_won_opportunity_was_closed_when_its_stage_last_changed(connector: SalesforceConnector) -> None:
    deal = only(records(connector, Stream.OPPORTUNITIES), name="Deal 1")
    assert isinstance(deal, Opportunity)
    assert (deal.is_open, deal.is_won) == (False, True)
    assert deal.closed_at == deal.stage_entered_at
    assert deal.closed_at is not None
    assert deal.created_at is not None
    assert deal.closed_at > deal.created_at


def test_numbers_arrive_exactly(sandbox: SalesforceSandbox, connector: SalesforceConnector) -> None:
    account = only(records(connector, Stream.ACCOUNTS), name="Company 3")
    assert isinstance(account, Account)
    assert account.employees == Decimal(3)


def test_owners_have_managers_and_teams(connector: SalesforceConnector) -> None:
    owners = records(connector, Stream.OWNERS)
    assert owners
    assert all(isinstance(owner, Owner) and owner.active is not None for owner in owners)
    assert {"manager", "team"} <= connector.supply(Stream.OWNERS, ()).fields


def test_pipelines_are_record_types_and_master(connector: SalesforceConnector) -> None:
    found = records(connector, Stream.PIPELINES)
    assert all(isinstance(pipeline, Pipeline) for pipeline in found)
    ids = [pipeline.id for pipeline in found if isinstance(pipeline, Pipeline)]
    assert "Master" in ids
    assert len(ids) == len(set(ids)) > 1


def test_each_pipeline_has_the_stages_of_its_process(connector: SalesforceConnector) -> None:
    stages = [stage for stage in records(connector, Stream.STAGES) if isinstance(stage, Stage)]
    by_pipeline: dict[str, set[str]] = {}
    for stage in stages:
        by_pipeline.setdefault(stage.pipeline, set()).add(stage.id)
    pipelines = {p.id for p in records(connector, Stream.PIPELINES) if isinstance(p, Pipeline)}
    assert set(by_pipeline) == pipelines
    assert any(len(ids) < len(by_pipeline["Master"]) for ids in by_pipeline.values())
    won = next(stage for stage in stages if stage.is_won)
    assert (won.is_open, won.probability, won.forecast_category) == (False, Decimal(100), "Closed")


def test_all_stages_where_the_process_cannot_be_learnt(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    sandbox.faults.add("error", path="/ui-api/", code="FUNCTIONALITY_NOT_ENABLED", status=403, times=0)
    stages = [stage for stage in records(connector, Stream.STAGES) if isinstance(stage, Stage)]
    pipelines = {stage.pipeline for stage in stages}
    assert {stage.id for stage in stages if stage.pipeline == "Master"} == {stage.id for stage in stages}
    assert len(stages) == len(pipelines) * len({stage.id for stage in stages})


def test_stage_changes_are_runs_of_the_history(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    deal = str(sandbox.org.query("SELECT Id FROM Opportunity WHERE Name = 'Deal 1'")[0]["Id"])
    changes = [
        c
        for c in records(connector, Stream.STAGE_CHANGES)
        if isinstance(c, StageChange) and c.opportunity == deal
    ]
    assert [(c.from_stage, c.to_stage) for c in changes] == [
        (None, "Prospecting"),
        ("Prospecting", "Qualification"),
        ("Qualification", "Closed Won"),
    ]
    assert sorted(c.at for c in changes) == [c.at for c in changes]
    assert all(c.by for c in changes)


def test_a_new_stage_change_knows_where_it_comes_from(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    cursor = list(connector.pull(Stream.STAGE_CHANGES, None, ()))[-1].cursor
    deal = str(sandbox.org.query("SELECT Id FROM Opportunity WHERE Name = 'Deal 99'")[0]["Id"])
    sandbox.org.update("Opportunity", deal, {"StageName": "Qualification"})
    pages = list(connector.pull(Stream.STAGE_CHANGES, cursor, ()))
    found = [c for page in pages for c in page.records if isinstance(c, StageChange)]
    assert {c.opportunity for c in found} == {deal}
    assert (found[-1].from_stage, found[-1].to_stage) == ("Prospecting", "Qualification")
    again = list(connector.pull(Stream.STAGE_CHANGES, pages[-1].cursor, ()))
    assert [page.records for page in again] == [[]]


def state(connector: SalesforceConnector, stream: Stream) -> tuple[State, str]:
    pages = list(connector.pull(stream, None, ()))
    return settle({}, pages), pages[-1].cursor


def test_activities_bring_their_links(sandbox: SalesforceSandbox, connector: SalesforceConnector) -> None:
    found = records(connector, Stream.ACTIVITIES)
    activities = {a.id: a for a in found if isinstance(a, Activity)}
    links = [link for link in found if isinstance(link, ActivityLink)]
    assert {link.activity for link in links} == set(activities)
    assert {link.kind for link in links} == {"opportunity", "lead"}
    assert {a.type for a in activities.values()} == {"task", "meeting"}
    for activity in activities.values():
        assert (activity.happened_at is None) != (activity.planned_at is None)


def test_archived_activities_are_there(sandbox: SalesforceSandbox, connector: SalesforceConnector) -> None:
    asked = [r for r in sandbox.requests if "FROM+Task" in r.query or "FROM+Event" in r.query]
    assert not asked
    records(connector, Stream.ACTIVITIES)
    asked = [r for r in sandbox.requests if "FROM+Task" in r.query or "FROM+Event" in r.query]
    assert all("/queryAll" in request.path for request in asked)
    assert len(asked) == 2


def test_an_activity_that_is_about_nothing_of_ours_any_more_is_gone(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    before, cursor = state(connector, Stream.ACTIVITIES)
    task = next(r.id for r in before.values() if isinstance(r, Activity) and r.type == "task")
    sandbox.org.update("Task", task, {"WhatId": None, "WhoId": None})
    pages = list(connector.pull(Stream.ACTIVITIES, cursor, ()))
    assert [id_ for page in pages for id_ in page.deleted] == [task]
    assert settle(before, pages) == state(connector, Stream.ACTIVITIES)[0]


def test_a_meeting_that_passes_has_happened_though_nobody_touched_it(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    deal = sandbox.org.query("SELECT Id FROM Opportunity LIMIT 1")[0]["Id"]
    starts, ends = "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"
    fields = {"Subject": "Closing", "WhatId": deal, "StartDateTime": starts, "EndDateTime": ends}
    event = sandbox.org.create("Event", fields)
    before, cursor = state(connector, Stream.ACTIVITIES)
    for hours, happened in ((1, False), (1, True), (1, True)):
        sandbox.clock.advance(timedelta(hours=hours))
        pages = list(connector.pull(Stream.ACTIVITIES, cursor, ()))
        before, cursor = settle(before, pages), pages[-1].cursor
        found = before["Activity", event]
        assert isinstance(found, Activity)
        assert (found.happened_at is not None) == happened
        assert (found.planned_at is None) == happened
        assert before == state(connector, Stream.ACTIVITIES)[0]


def test_a_pull_goes_by_the_clock_of_the_server(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    """A clock of ours that runs an hour ahead must not make the next pull begin too late."""
    client = connector._client
    object.__setattr__(client.context, "clock", lambda: sandbox.clock.now() + timedelta(hours=1))
    assert client.server_now() == sandbox.clock.now()


def test_changes_within_one_second_are_not_taken_for_each_other(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    before, cursor = state(connector, Stream.ACCOUNTS)
    account = next(iter(before.values()))
    assert isinstance(account, Account)
    for name in ("First", "Second"):
        sandbox.org.update("Account", account.id, {"Name": name})
        pages = list(connector.pull(Stream.ACCOUNTS, cursor, ()))
        cursor = pages[-1].cursor
        assert [r.name for page in pages for r in page.records if isinstance(r, Account)] == [name]
    assert [page.records for page in connector.pull(Stream.ACCOUNTS, cursor, ())] == [[]]


def test_after_a_gap_longer_than_the_recycle_bin_everything_is_pulled_anew(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    before, cursor = state(connector, Stream.ACCOUNTS)
    sandbox.clock.advance(timedelta(days=20))
    pages = list(connector.pull(Stream.ACCOUNTS, cursor, ()))
    assert pages[0].begins_full
    assert pages[-1].ends_full
    assert settle({}, pages) == before


def test_a_column_that_appears_is_filled_for_all_records(
    sandbox: SalesforceSandbox, connector: SalesforceConnector, own: tuple[OwnField, ...]
) -> None:
    name = own[4].name
    pages = list(connector.pull(Stream.OPPORTUNITIES, None, [name]))
    assert connector.supply(Stream.OPPORTUNITIES, [name]).custom == frozenset()
    for step in connector.plan_setup(own):
        connector.apply_setup(step)
    assert connector.supply(Stream.OPPORTUNITIES, [name]).custom == {name}
    anew = list(connector.pull(Stream.OPPORTUNITIES, pages[-1].cursor, [name]))
    assert anew[0].begins_full
    assert all(r.custom == {name: None} for p in anew for r in p.records if isinstance(r, Opportunity))
    later = list(connector.pull(Stream.OPPORTUNITIES, anew[-1].cursor, [name]))
    assert not later[0].begins_full


def test_custom_fields_come_in_their_types(
    sandbox: SalesforceSandbox, connector: SalesforceConnector, own: tuple[OwnField, ...]
) -> None:
    for step in connector.plan_setup(own):
        connector.apply_setup(step)
    deal = str(sandbox.org.query("SELECT Id FROM Opportunity WHERE Name = 'Deal 99'")[0]["Id"])
    flags, severity, summary, _, hygiene, since = (field.name for field in own)
    values = {flags: "no-activity;close-date-past", severity: "error", summary: "two", hygiene: 72}
    token = sandbox.org.user("integration@sandbox.example")
    access = type(sandbox.org.colleague)(sandbox.org.store, token)
    sandbox.org.writer.update(
        access, sandbox.org.store.schema["Opportunity"], deal, values | {since: "2026-11-20"}
    )
    names = [field.name for field in own]
    found = only(records(connector, Stream.OPPORTUNITIES, *names), id=deal)
    assert isinstance(found, Opportunity)
    assert found.custom[flags] == ("close-date-past", "no-activity")
    assert found.custom[severity] == "error"
    assert found.custom[hygiene] == Decimal(72)
    assert found.custom[since] == date(2026, 11, 20)


def test_a_cursor_that_is_not_ours_is_explained(connector: SalesforceConnector) -> None:
    with pytest.raises(Stop, match="place to continue"):
        list(connector.pull(Stream.ACCOUNTS, "whole", ()))


def test_instants_of_records_are_those_of_the_server(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    stamps = {r.modified_at for r in records(connector, Stream.ACCOUNTS) if isinstance(r, Account)}
    first = sandbox.org.query("SELECT SystemModstamp FROM Account ORDER BY SystemModstamp LIMIT 1")
    assert min(stamps) == datetime.fromisoformat(str(first[0]["SystemModstamp"]))


def test_many_histories_that_change_are_read_page_by_page(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    before, cursor = state(connector, Stream.STAGE_CHANGES)
    for n, row in enumerate(sandbox.org.query("SELECT Id FROM Opportunity WHERE IsClosed = false")):
        sandbox.org.update("Opportunity", str(row["Id"]), {"StageName": "Qualification", "Amount": n})
        sandbox.org.update("Opportunity", str(row["Id"]), {"Amount": n + 1})
    pages = list(connector.pull(Stream.STAGE_CHANGES, cursor, ()))
    whole, _ = state(connector, Stream.STAGE_CHANGES)
    assert len(pages) > 2
    assert settle(before, pages) == whole
    for cut in range(1, len(pages)):
        rest = list(connector.pull(Stream.STAGE_CHANGES, pages[cut - 1].cursor, ()))
        assert settle(before, [*pages[:cut], *rest]) == whole


def test_a_whole_history_that_was_cut_goes_on(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    for n, row in enumerate(sandbox.org.query("SELECT Id FROM Opportunity WHERE IsClosed = false")):
        sandbox.org.update("Opportunity", str(row["Id"]), {"StageName": "Qualification", "Amount": n})
    pages = list(connector.pull(Stream.STAGE_CHANGES, None, ()))
    assert len(pages) > 2
    for cut in range(1, len(pages)):
        rest = list(connector.pull(Stream.STAGE_CHANGES, pages[cut - 1].cursor, ()))
        assert not rest[0].begins_full
        assert settle({}, [*pages[:cut], *rest]) == settle({}, pages)


def test_a_connection_is_made_by_the_registry(
    sandbox: SalesforceSandbox, connect: Callable[..., SalesforceConnector]
) -> None:
    """A session of somebody else's making is used as it is."""
    model = connect(sandbox)
    made: list[Session] = []

    def session() -> Session:
        made.append(Session(trust_env=False))
        return made[-1]

    context = ConnectContext(sandbox.clock.now, Path(), UTC, session=session)
    connector = registry.load("salesforce").connect("acme", model._settings, context)
    assert (connector.name, connector.crm, connector.api_calls) == ("acme", "salesforce", 0)
    assert list(connector.pull(Stream.OWNERS, None, ()))
    assert len(made) == 1
    assert connector.api_calls == len(sandbox.requests)
    connector.close()
