"""Reading and writing through whatever the network and Pipedrive do wrong once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from werkzeug.wrappers import Request, Response

from pipelint.connectors.base import Change, OwnField, OwnFieldType
from pipelint.connectors.contract import settle
from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.errors import PermissionMissing, PipelintError
from pipelint.records import Stream
from pipelint.sandbox.pipedrive import PipedriveSandbox
from tests.connectors.pipedrive import test_contract

PASSING: Mapping[str, dict[str, object]] = {
    "hung up before": {"effect": "drop"},
    "hung up after": {"effect": "drop_after"},
    "truncated": {"effect": "truncate"},
    "broken JSON": {"effect": "malformed"},
    "a page of HTML": {"effect": "html"},
    "a burst": {"effect": "OVER_BURST"},
    "500": {"effect": "INTERNAL"},
    "502": {"effect": "BAD_GATEWAY"},
    "503": {"effect": "UNAVAILABLE"},
}
FINAL: Mapping[str, dict[str, object]] = {
    "no token": {"effect": "UNAUTHORIZED"},
    "not paid": {"effect": "PAYMENT_REQUIRED"},
    "no scope": {"effect": "SCOPE_MISMATCH"},
    "blocked": {"effect": "BLOCKED"},
    "the day is over": {"effect": "OVER_BUDGET"},
    "no success": {"effect": "NOT_SUCCESS", "times": 0},
    "null": {"effect": "NULL", "times": 0},
}


def struck(sandbox: PipedriveSandbox) -> bool:
    [fault] = sandbox.faults.script()
    return int(str(fault["seen"])) >= int(str(fault["nth"]))


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_pull_gets_over_what_passes(
    sandbox: PipedriveSandbox, connector: PipedriveConnector, fault: dict[str, object]
) -> None:
    whole = settle({}, connector.pull(Stream.OPPORTUNITIES, None, ()))
    sandbox.faults.add_json({**fault, "path": "/api/v2/deals", "nth": 2})
    assert settle({}, connector.pull(Stream.OPPORTUNITIES, None, ())) == whole
    assert struck(sandbox)


@pytest.mark.parametrize("fault", FINAL.values(), ids=FINAL)
def test_a_pull_stops_with_an_error_for_people(
    sandbox: PipedriveSandbox, connector: PipedriveConnector, fault: dict[str, object]
) -> None:
    sandbox.faults.add_json({**fault, "path": "/api/v2/deals"})
    with pytest.raises(PipelintError):
        settle({}, connector.pull(Stream.OPPORTUNITIES, None, ()))


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_write_ends_as_without_the_fault(
    sandbox: PipedriveSandbox, connector: PipedriveConnector, fault: dict[str, object]
) -> None:
    own = test_contract.TestPipedrive.own
    for step in connector.plan_setup(own):
        connector.apply_setup(step)
    sandbox.faults.add_json({**fault, "method": "PATCH", "path": "/api/v2/deals/2"})
    changes = [Change("opportunity", id_, {"Pipelint hygiene": Decimal(40)}) for id_ in ("1", "2", "3")]
    outcomes = {it.id: it.status for it in connector.write(changes)}
    assert struck(sandbox)
    assert (outcomes["1"], outcomes["3"]) == ("written", "written")
    assert outcomes["2"] in {"written", "unknown"}
    if outcomes["2"] == "unknown":  # the engine reads back, and writes again where it was not done
        assert {it.status for it in connector.write(changes[1:2])} == {"written"}
    assert len(dict(connector.read("opportunity", ["1", "2", "3"], ["Pipelint hygiene"]))) == 3


def test_one_refused_deal_holds_up_nobody(sandbox: PipedriveSandbox, connector: PipedriveConnector) -> None:
    for step in connector.plan_setup(test_contract.TestPipedrive.own):
        connector.apply_setup(step)
    sandbox.company.update("deals", 2, {"is_archived": True})
    changes = [Change("opportunity", id_, {"Pipelint hygiene": Decimal(40)}) for id_ in ("1", "2", "3")]
    outcomes = {it.id: it.status for it in connector.write(changes)}
    assert outcomes == {"1": "written", "2": "refused", "3": "written"}


FLAGS = OwnField("flags", "opportunity", "Pipelint flags", "Flags", OwnFieldType.FLAGS, "", ("a-b",))


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("status", [0, 502, 504])
@pytest.mark.parametrize("path", ["/dealFields", "/options"])
def test_fields_and_options_are_made_once_whether_or_not_the_first_call_was_heard(
    sandbox: PipedriveSandbox,
    connector: PipedriveConnector,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    status: int,
    done: bool,
) -> None:
    """Names of fields are not unique, so a creation that is repeated blindly makes a second one."""
    work = sandbox._control._work
    failed: list[str] = []

    def fail_once(request: Request) -> Response:
        if request.method != "POST" or not request.path.endswith(path) or failed:
            return work(request)
        failed.append(request.path)
        if done:
            work(request)
        return Response("", status) if status else Response('{"succ', 200)

    monkeypatch.setattr(sandbox._control, "_work", fail_once)
    for choices in (("a-b",), ("a-b", "c-d")):
        for step in connector.plan_setup([replace(FLAGS, choices=choices)]):
            connector.apply_setup(step)
    made = [it for it in sandbox.company.fields.custom("deals").values() if it["field_name"] == FLAGS.name]
    assert failed
    assert [[option["label"] for option in it["options"]] for it in made] == [["a-b", "c-d"]]


@pytest.fixture
def changes(connector: PipedriveConnector) -> list[Change]:
    for step in connector.plan_setup(test_contract.TestPipedrive.own):
        connector.apply_setup(step)
    return [Change("opportunity", str(n), {"Pipelint hygiene": Decimal(40)}) for n in range(1, 11)]


def test_a_deal_that_the_user_may_not_edit_is_refused_and_the_others_are_written(
    sandbox: PipedriveSandbox, connector: PipedriveConnector, changes: list[Change]
) -> None:
    sandbox.faults.add_json({"effect": "FORBIDDEN", "method": "PATCH", "path": "/api/v2/deals/3"})
    outcomes = list(connector.write(changes))
    assert [it.status for it in outcomes].count("written") == len(changes) - 1
    assert (outcomes[2].status, outcomes[2].code) == ("refused", "FORBIDDEN")


def test_a_user_who_may_edit_nothing_is_found_out_after_a_few_deals(
    sandbox: PipedriveSandbox, connector: PipedriveConnector, changes: list[Change]
) -> None:
    sandbox.faults.add_json({"effect": "FORBIDDEN", "method": "PATCH", "times": 0})
    written = connector.write(changes)
    assert [next(written).status for _ in range(4)] == ["refused"] * 4
    with pytest.raises(PermissionMissing, match="permission"):
        next(written)


def test_an_app_without_the_scope_is_found_out_at_once(
    sandbox: PipedriveSandbox, connector: PipedriveConnector, changes: list[Change]
) -> None:
    sandbox.faults.add_json({"effect": "SCOPE_MISMATCH", "method": "PATCH", "times": 0})
    with pytest.raises(PermissionMissing, match="Scope"):
        next(iter(connector.write(changes)))
