"""Writing into HubSpot: batches of a hundred, of which one bad record must not hold up the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from pipelint.connectors.base import Change, Outcome
from pipelint.connectors.hubspot.connector import HubSpotConnector
from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.hubspot.object_types import DEALS
from pipelint.sandbox.hubspot.rules import ValidationRule

from .conftest import OWN


@pytest.fixture
def ready(connector: HubSpotConnector) -> HubSpotConnector:
    """A connection whose account has our fields."""
    for step in connector.plan_setup(OWN):
        connector.apply_setup(step)
    return connector


def write(connector: HubSpotConnector, **summaries: str | None) -> dict[str, Outcome]:
    changes = [Change("opportunity", id_, {"pipelint_summary": text}) for id_, text in summaries.items()]
    return {outcome.id: outcome for outcome in connector.write(changes)}


def updates(sandbox: HubSpotSandbox) -> int:
    return sum(request.path.endswith("/batch/update") for request in sandbox.requests)


def test_a_batch_is_one_call(ready: HubSpotConnector, sandbox: HubSpotSandbox) -> None:
    outcomes = write(ready, **{deal: f"Deal {deal}" for deal in sandbox.portal.ids("deals")})
    assert {outcome.status for outcome in outcomes.values()} == {"written"}
    assert updates(sandbox) == 1


def test_an_option_that_setup_has_not_made_is_refused_here_and_holds_up_nobody(
    ready: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    first, second = sandbox.portal.ids("deals")[:2]
    changes = [
        Change("opportunity", first, {"pipelint_severity": "disastrous"}),
        Change("opportunity", second, {"pipelint_severity": "error"}),
    ]
    outcomes = {outcome.id: outcome for outcome in ready.write(changes)}
    assert (outcomes[first].status, outcomes[first].code) == ("refused", "INVALID_OPTION")
    assert "pipelint setup --apply" in outcomes[first].message
    assert outcomes[second].status == "written"


def test_one_value_that_a_rule_of_the_portal_refuses_is_singled_out(
    ready: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    """The whole batch fails over it, and the answer names the property, but not the record."""
    bad, *others = sandbox.portal.ids("deals")
    rule = ValidationRule("pipelint_summary", "MAX_LENGTH", ("10",))
    sandbox.portal.validation_rules[DEALS].append(rule)
    outcomes = write(ready, **{**dict.fromkeys(others, "Checked"), bad: "Checked, and much too long"})
    assert (outcomes[bad].status, outcomes[bad].fields) == ("refused", ("pipelint_summary",))
    assert outcomes[bad].message.endswith("of pipelint_summary: remove the rule, in Settings > Properties")
    assert {outcomes[deal].status for deal in others} == {"written"}


def test_a_rule_that_refuses_everything_costs_no_look_at_the_properties_for_each(
    ready: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    rule = ValidationRule("pipelint_summary", "MAX_LENGTH", ("10",))
    sandbox.portal.validation_rules[DEALS].append(rule)
    deals = sandbox.portal.ids("deals")
    before = len(sandbox.requests)
    outcomes = write(ready, **dict.fromkeys(deals, "Much too long for the rule"))
    assert {outcome.status for outcome in outcomes.values()} == {"refused"}
    assert updates(sandbox) == 2 * len(deals) - 1
    assert len(sandbox.requests) - before <= updates(sandbox) + 1


@pytest.mark.parametrize(("version", "status"), [("v3", 207), ("2026-03", 200), ("2026-09", 200)])
def test_records_that_are_gone_are_told_under_any_status_of_success(
    ready: HubSpotConnector,
    sandbox: HubSpotSandbox,
    connect: Callable[..., HubSpotConnector],
    version: str,
    status: int,
) -> None:
    gone, kept = sandbox.portal.ids("deals")[:2]
    sandbox.portal.archive("deals", gone)
    outcomes = write(connect(sandbox, write_version=version), **{gone: "x", kept: "x"})
    assert sandbox.requests[-1].status == status
    assert (outcomes[gone].status, outcomes[kept].status) == ("gone", "written")


@pytest.mark.parametrize(
    ("type_", "body", "status"),
    [
        ("application/json", '{"category": "OBJECT_NOT_FOUND", "message": "resource not found"}', "gone"),
        ("text/html", "<html>not found</html>", "refused"),
    ],
    ids=["said by HubSpot", "said by something else"],
)
def test_a_record_alone_that_is_not_found_is_gone_where_hubspot_says_so(
    ready: HubSpotConnector, sandbox: HubSpotSandbox, type_: str, body: str, status: str
) -> None:
    deal = sandbox.portal.ids("deals")[0]
    sandbox.faults.add("respond", path="batch/update", status=404, body=body, content_type=type_)
    assert write(ready, **{deal: "x"})[deal].status == status


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"category": "OBJECT_NOT_FOUND"}, "gone"),
        ({"category": "VALIDATION_ERROR", "code": "INVALID_DATE"}, "refused"),
        ({"category": "SOMETHING_NEW"}, "refused"),
        ({"category": "VALIDATION_ERROR", "message": None, "code": None}, "refused"),
        ({"category": "INTERNAL_ERROR"}, "locked"),
        ({"category": "RATE_LIMITS"}, "locked"),
    ],
    ids=lambda value: value["category"] if isinstance(value, dict) else "",
)
def test_what_may_pass_for_one_record_is_told_from_what_will_not(
    ready: HubSpotConnector, sandbox: HubSpotSandbox, error: dict[str, str], status: str
) -> None:
    deal, other = sandbox.portal.ids("deals")[:2]
    entry = {"status": "error", "message": "No.", **error, "context": {"ids": [deal]}}
    body = json.dumps({"status": "COMPLETE", "results": [{"id": other}], "numErrors": 1, "errors": [entry]})
    sandbox.faults.add("respond", path="/batch/update", status=207, body=body)
    outcomes = write(ready, **{deal: "x", other: "x"})
    assert (outcomes[deal].status, outcomes[other].status) == (status, "written")


def test_a_record_that_stays_locked_holds_up_nobody(
    ready: HubSpotConnector, sandbox: HubSpotSandbox, naps: list[float]
) -> None:
    locked, *others = sandbox.portal.ids("deals")
    sandbox.faults.add("LOCKED", record=locked, status=423, times=0)
    outcomes = write(ready, **dict.fromkeys([locked, *others], "x"))
    assert outcomes[locked].status == "locked"
    assert {outcomes[deal].status for deal in others} == {"written"}
    assert all(seconds >= 2 for seconds in naps)
    assert sum(naps) < 60


def test_a_record_that_is_locked_for_a_moment_is_written(
    ready: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    locked, other = sandbox.portal.ids("deals")[:2]
    sandbox.faults.add("LOCKED", record=locked, status=423)
    outcomes = write(ready, **{locked: "x", other: "x"})
    assert {each.status for each in outcomes.values()} == {"written"}
    assert updates(sandbox) == 2


def test_empty_text_clears(ready: HubSpotConnector, sandbox: HubSpotSandbox) -> None:
    deal = sandbox.portal.ids("deals")[0]
    write(ready, **{deal: "something"})
    write(ready, **{deal: None})
    assert dict(ready.read("opportunity", [deal], ["pipelint_summary"])) == {deal: {"pipelint_summary": None}}


@pytest.mark.parametrize("number", ["72", "72.0", "0", "-3.5", "1000000"])
def test_numbers_compare_equal_after_they_were_stored(
    ready: HubSpotConnector, sandbox: HubSpotSandbox, number: str
) -> None:
    deal = sandbox.portal.ids("deals")[0]
    value = ready.normalised("opportunity", "pipelint_hygiene", Decimal(number))
    list(ready.write([Change("opportunity", deal, {"pipelint_hygiene": value})]))
    assert dict(ready.read("opportunity", [deal], ["pipelint_hygiene"])) == {
        deal: {"pipelint_hygiene": value}
    }


def test_new_options_are_added_to_those_that_are_there(
    ready: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    flags = replace(OWN[0], choices=(*OWN[0].choices, "new-rule"))
    [step] = [step for step in ready.plan_setup([flags, *OWN[1:]]) if step.action == "extend"]
    ready.apply_setup(step)
    seen = {info.name: info for info in ready.fields("opportunity")}
    assert list(seen["pipelint_flags"].choices) == list(flags.choices)


def test_a_property_of_another_type_under_our_name_is_a_conflict(
    connector: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    other = replace(OWN[4], type=OWN[2].type)
    for step in connector.plan_setup([other]):
        connector.apply_setup(step)
    steps = {step.target: step for step in connector.plan_setup([OWN[4]])}
    assert steps["deals.pipelint_hygiene"].action == "conflict"
