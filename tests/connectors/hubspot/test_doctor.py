"""What `doctor` says of a portal: what is missing, what will refuse or react, and how much is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pipelint.connectors.base import Diagnosis
from pipelint.connectors.clock import ServerClock
from pipelint.connectors.hubspot import obstacles
from pipelint.connectors.hubspot.connector import HubSpotConnector
from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.hubspot.object_types import DEALS
from pipelint.sandbox.hubspot.rules import StageRules, ValidationRule, Workflow

from .conftest import OWN, connection

Connect = Callable[..., HubSpotConnector]


@pytest.fixture
def ready(connector: HubSpotConnector) -> HubSpotConnector:
    """A connection whose account has our fields."""
    for step in connector.plan_setup(OWN):
        connector.apply_setup(step)
    return connector


def lines(connector: HubSpotConnector, *levels: str) -> list[tuple[str, str]]:
    """What is said, and the cure, of these levels; of all but what is well unless some are named."""
    found = connector.diagnose(OWN)
    return [(it.what, it.cure) for it in found if it.level in (levels or ("warning", "problem"))]


def said(connector: HubSpotConnector) -> Mapping[str, Diagnosis]:
    return {it.what: it for it in connector.diagnose(OWN)}


def test_nothing_is_wrong_with_a_portal_that_is_set_up(ready: HubSpotConnector) -> None:
    assert lines(ready) == []
    assert [what for what, _ in lines(ready, "ok")][4:] == [
        "the clocks agree",
        "owners, deals, companies, contacts, calls, meetings, tasks, notes, emails, line_items, leads can be read",
        "HubSpot tells since when a deal is in its stage",
        "deals may be written",
        "deals: our properties are there, with all their options",
        "deals: no validation rule stands on our properties",
        "no workflow waits for what we write (1 live workflow looked at)",
        "deals: pipeline 'New business': no moving back: they bind moves, and pipelint makes none",
        "deals: everybody who may write may do so in every stage",
    ]


def test_options_that_setup_would_add_are_named(ready: HubSpotConnector) -> None:
    [flags, *rest] = OWN
    wanted = [replace(flags, choices=(*flags.choices, "no-competitor")), *rest]
    assert [(it.what, it.cure) for it in ready.diagnose(wanted) if it.level == "warning"] == [
        (
            "deals: options of pipelint_flags are not there: no-competitor; such flags stay in the texts",
            "run: pipelint setup --apply",
        )
    ]


def test_it_changes_nothing(ready: HubSpotConnector, sandbox: HubSpotSandbox) -> None:
    before = [sandbox.portal.get("deals", deal) for deal in sandbox.portal.ids("deals")]
    lines(ready)
    assert [sandbox.portal.get("deals", deal) for deal in sandbox.portal.ids("deals")] == before


def test_validation_rules_on_our_properties_are_named(
    ready: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    rules = sandbox.portal.validation_rules[DEALS]
    rules.append(ValidationRule("pipelint_summary", "MAX_LENGTH", ("30",)))
    cure = "remove what refuses our values: Settings > Properties"
    one = "deals: 1 validation rule stands on our properties: pipelint_summary (MAX_LENGTH 30)"
    assert lines(ready, "problem") == [(one, cure)]
    rules.append(ValidationRule("pipelint_hygiene", "MIN_NUMBER", ("30",)))
    two = "deals: 2 validation rules stand on our properties: pipelint_summary (MAX_LENGTH 30), "
    assert lines(ready, "problem") == [(f"{two}pipelint_hygiene (MIN_NUMBER 30)", cure)]


def by_value(name: str) -> dict[str, Any]:
    """Enrols by a filter on a property, as lists do."""
    filters = [{"filterType": "PROPERTY", "property": name, "operation": {"operator": "IS_KNOWN"}}]
    return {"type": "LIST_BASED", "listFilterBranch": {"filterBranches": [{"filters": filters}]}}


def by_event(name: str) -> dict[str, Any]:
    """Enrols by the event that a property changed: the property is a value of the filter."""
    filters = [{"property": "hs_name", "operation": {"operator": "IS_ANY_OF", "values": [name]}}]
    return {"type": "EVENT_BASED", "eventFilterBranches": [{"eventTypeId": "4-655002", "filters": filters}]}


REACTING = [
    (Workflow("1", "Alert", "0-3", by_value("pipelint_severity")), "'Alert' (pipelint_severity)"),
    (Workflow("1", "Alert", "0-3", by_event("pipelint_flags")), "'Alert' (pipelint_flags)"),
    (Workflow("1", "Touched", "0-3", by_value("hs_lastmodifieddate")), "'Touched' (hs_lastmodifieddate)"),
    (Workflow("1", "", "0-3", by_value("pipelint_flags")), "'1' (pipelint_flags)"),
]


@pytest.mark.parametrize(("workflow", "told"), REACTING, ids=[told for _, told in REACTING])
def test_a_workflow_that_runs_when_we_write_is_named(
    ready: HubSpotConnector, sandbox: HubSpotSandbox, workflow: Workflow, told: str
) -> None:
    sandbox.portal.workflows.append(workflow)
    [(what, cure)] = lines(ready)
    assert what == f"1 workflow runs when we write: {told}"
    assert "first push" in cure


QUIET = [
    pytest.param(Workflow("1", "Other", "0-3", by_value("amount")), id="waits for another property"),
    pytest.param(
        Workflow("1", "Off", "0-3", by_value("pipelint_flags"), enabled=False), id="is switched off"
    ),
    pytest.param(Workflow("1", "Tickets", "0-5", by_value("pipelint_flags")), id="is about other records"),
]


@pytest.mark.parametrize("workflow", QUIET)
def test_a_workflow_that_does_not_react_is_left_alone(
    ready: HubSpotConnector, sandbox: HubSpotSandbox, workflow: Workflow
) -> None:
    sandbox.portal.workflows.append(workflow)
    assert lines(ready) == []


def test_hundreds_of_workflows_are_looked_at(
    ready: HubSpotConnector, sandbox: HubSpotSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obstacles, "AT_ONCE", 7)
    sandbox.portal.workflows += [
        Workflow(str(n), f"W{n}", "0-3", by_value("pipelint_flags" if n in {3, 149} else "amount"))
        for n in range(150)
    ]
    [(what, _)] = lines(ready)
    assert what == "2 workflows run when we write: 'W3' (pipelint_flags), 'W149' (pipelint_flags)"


def test_stages_that_only_some_may_edit_are_named(ready: HubSpotConnector, sandbox: HubSpotSandbox) -> None:
    sandbox.portal.stage_rules["default"] = StageRules(
        not_skipped=("contractsent",),
        approved=("contractsent",),
        edited_by_some=("closedwon", "closedlost"),
    )
    found = said(ready)
    assert lines(ready) == [
        (
            "deals: pipeline 'New business': only some may edit records in Closed Won, Closed Lost; "
            "writes may be refused there",
            "open these stages: Settings > Objects > Deals > Pipelines",
        )
    ]
    moves = "deals: pipeline 'New business': no skipping of stages, approval of stages: they bind moves, "
    assert f"{moves}and pipelint makes none" in found


@pytest.mark.parametrize(
    ("room", "level", "what"),
    [
        (1000, "ok", "deals: room for 993 more custom properties of 1,000"),
        (13, "ok", "deals: room for 6 more custom properties of 13"),
        (8, "problem", "deals: room for 1 more custom property of 8, and setup needs 6"),
        (5, "problem", "deals: room for 0 more custom properties of 5, and setup needs 6"),
    ],
)
def test_the_room_for_our_properties_is_told(
    connector: HubSpotConnector, sandbox: HubSpotSandbox, room: int, level: str, what: str
) -> None:
    sandbox.portal.custom_properties = room
    assert said(connector)[what].level == level


def test_each_scope_that_is_missing_is_named(
    sandbox: HubSpotSandbox, ready: HubSpotConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"crm.objects.deals.read", "crm.objects.contacts.read", "crm.objects.owners.read"}
    monkeypatch.setenv("HUBSPOT_TOKEN", sandbox.token(*few))
    reader = connection(sandbox)
    add = "add the scopes to the service key or app: "
    place = "Settings > Objects > Deals > Pipelines"
    locked = "crm-pipelines-locked-stages-access, pipeline-level-permissions-access"
    assert lines(reader) == [
        ("companies cannot be read", f"{add}crm.objects.companies.read"),
        ("emails cannot be read", f"{add}sales-email-read"),
        ("line_items cannot be read", f"{add}crm.objects.line_items.read"),
        ("deals cannot be written yet, only read", f"{add}crm.objects.deals.write"),
        ("workflows could not be looked at", f"{add}automation; or look in Automation > Workflows"),
        ("rules of the pipelines of deals could not be looked at", f"{add}{locked}; or look in {place}"),
    ]
    reader.close()


def test_a_portal_without_the_leads_object_is_told(sandbox: HubSpotSandbox, connect: Connect) -> None:
    sandbox.portal.leads = False
    told = lines(connect(sandbox), "ok")
    assert any("contacts of an early lifecycle stage are the leads" in what for what, _ in told)
    assert not any("leads can be read" in what for what, _ in told)


def test_an_endpoint_that_fails_leaves_the_others_their_turn(
    ready: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    sandbox.faults.add("respond", path="/automation/", status=404, body="{}", times=0)
    [(what, cure)] = lines(ready)
    assert what.startswith("workflows could not be looked at: HubSpot refuses the workflows")
    assert cure == "look in Automation > Workflows"
    assert "deals: everybody who may write may do so in every stage" in said(ready)


def test_calls_beyond_our_share_are_a_problem(ready: HubSpotConnector, sandbox: HubSpotSandbox) -> None:
    sandbox.limits.used_today = 600_000
    problems = lines(ready, "problem")
    assert ("600,001 of 650,000 API calls used today, by all integrations",
            "runs stop at 80%: find out which integration uses so many") in problems  # fmt: skip


@pytest.mark.parametrize(
    ("versions", "what"),
    [
        ({"read_version": "v3"}, "reads by v3 and writes by 2026-03: v3 ends in September 2027"),
        (
            {"write_version": "2026-09"},
            "writes by 2026-09: the portal's required and conditional properties bind our writes, too",
        ),
    ],
)
def test_versions_that_end_or_bind_are_told(
    sandbox: HubSpotSandbox, connect: Connect, ready: HubSpotConnector, versions: dict[str, str], what: str
) -> None:
    assert [it for it, _ in lines(connect(sandbox, **versions))] == [what]


def test_a_wrong_clock_is_told(ready: HubSpotConnector, sandbox: HubSpotSandbox) -> None:
    ready._client.clock = ServerClock(lambda: sandbox.clock.now() + timedelta(minutes=10))
    assert any("clocks" in what and "600 s" in what for what, _ in lines(ready))


def test_without_a_sign_in_nothing_else_is_looked_at(
    ready: HubSpotConnector, sandbox: HubSpotSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", "pat-eu1-nobody")
    stranger = connection(sandbox)
    [(what, cure)] = lines(stranger, "ok", "warning", "problem")
    assert what.startswith("sign-in: HubSpot refuses the account (INVALID_AUTHENTICATION")
    assert "service key" in cure
    stranger.close()
