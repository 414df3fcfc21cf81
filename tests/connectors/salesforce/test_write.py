"""Writing back: what becomes of each record, whatever happens on the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.connectors.base import Change, Outcome, WriteLimits, WriteValue
from pipelint.connectors.http import NotSent
from pipelint.connectors.salesforce import write as writing
from pipelint.connectors.salesforce.connector import SalesforceConnector
from pipelint.errors import Busy, PermissionMissing
from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.connectors.salesforce.conftest import NOW
from tests.connectors.salesforce.writing import HYGIENE, changes, counts, write

Connect = Callable[..., SalesforceConnector]
COLLECTIONS = "/composite/sobjects"


@pytest.fixture
def sandbox(ready_org: Path) -> Iterator[SalesforceSandbox]:
    """An org in which our fields are set up."""
    with SalesforceSandbox(state=ready_org, now=NOW) as sandbox:
        yield sandbox


@pytest.fixture
def ready(connector: SalesforceConnector) -> SalesforceConnector:
    """A connector whose fields are set up."""
    return connector


@pytest.fixture
def deals(sandbox: SalesforceSandbox) -> list[str]:
    rows = sandbox.org.query("SELECT Id FROM Opportunity WHERE IsClosed = false ORDER BY Id")
    return [str(row["Id"]) for row in rows]


def stored(connector: SalesforceConnector, ids: list[str]) -> dict[str, object]:
    return {id_: values[HYGIENE] for id_, values in connector.read("opportunity", ids, [HYGIENE])}


def sent(sandbox: SalesforceSandbox) -> list[list[str]]:
    """The ids of each request to write."""
    bodies = [json.loads(r.body) for r in sandbox.requests if r.path.endswith(COLLECTIONS)]
    return [[record["id"] for record in body["records"]] for body in bodies]


def test_at_most_200_records_travel_together(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    assert counts(write(ready, changes(deals[:205]))) == {"written": 205}
    assert [len(ids) for ids in sent(sandbox)] == [200, 5]
    assert stored(ready, deals[:205]) == dict.fromkeys(deals[:205], Decimal(72))


def test_records_of_an_account_stand_together(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    made = [
        Change("opportunity", id_, {HYGIENE: Decimal(1)}, group=f"account {n % 3}")
        for n, id_ in enumerate(deals[:9])
    ]
    write(ready, made)
    groups = {change.id: change.group for change in made}
    order = [groups[id_] for id_ in sent(sandbox)[0]]
    assert order == sorted(order)


def test_a_validation_rule_refuses_its_record_alone(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    message = "Closed deals need a loss reason."
    sandbox.faults.add("FIELD_CUSTOM_VALIDATION_EXCEPTION", record=deals[1], message=message)
    outcomes = write(ready, changes(deals[:3]))
    assert counts(outcomes) == {"written": 2, "refused": 1}
    refused = outcomes[deals[1]]
    assert (refused.code, refused.message) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", message)
    assert len(sent(sandbox)) == 1


def test_a_value_that_is_no_choice_names_its_field(ready: SalesforceConnector, deals: list[str]) -> None:
    made = [Change("opportunity", deals[0], {"Pipelint_Severity__c": "terrible"})]
    outcome = write(ready, made)[deals[0]]
    assert outcome.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert outcome.fields == ("Pipelint_Severity__c",)


def test_a_locked_row_is_sent_again_alone(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str], naps: list[float]
) -> None:
    sandbox.faults.add("UNABLE_TO_LOCK_ROW", record=deals[1], times=2)
    assert counts(write(ready, changes(deals[:3]))) == {"written": 3}
    assert sent(sandbox) == [deals[:3], [deals[1]], [deals[1]]]
    assert len(naps) == 2
    assert naps[0] != int(naps[0])  # jitter


def test_a_row_that_stays_locked_is_left_to_the_next_run(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    sandbox.faults.add("UNABLE_TO_LOCK_ROW", record=deals[1], times=0)
    outcomes = write(ready, changes(deals[:3]))
    assert counts(outcomes) == {"written": 2, "locked": 1}
    assert outcomes[deals[1]].code == "UNABLE_TO_LOCK_ROW"


@pytest.mark.parametrize(
    ("effect", "done"), [("drop", False), ("drop_after", True), ("malformed", True), ("truncate", True)]
)
def test_a_lost_answer_leaves_the_outcome_unknown_until_it_is_read_back(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str], effect: str, done: bool
) -> None:
    sandbox.faults.add(effect, method="PATCH", path=COLLECTIONS)
    assert counts(write(ready, changes(deals[:3]))) == {"unknown": 3}
    assert len(sent(sandbox)) == 1
    assert set(stored(ready, deals[:3]).values()) == {Decimal(72) if done else None}


def test_a_server_that_is_away_for_a_moment_is_asked_again(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str], naps: list[float]
) -> None:
    sandbox.faults.add("html", method="PATCH", path=COLLECTIONS, times=2)
    assert counts(write(ready, changes(deals[:3]))) == {"written": 3}
    assert len(naps) == 2


def test_a_server_that_stays_away_ends_the_push_with_what_is_known(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    sandbox.faults.add("SERVER_UNAVAILABLE", method="PATCH", path=COLLECTIONS, nth=2, times=0)
    outcomes: list[Outcome] = []
    with pytest.raises(Busy):
        outcomes.extend(ready.write(changes(deals[:205])))
    assert Counter(outcome.status for outcome in outcomes) == {"written": 200, "unknown": 5}


def test_what_could_not_be_sent_has_no_outcome(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    ready.fields("opportunity")
    sandbox.stop()
    outcomes: list[Outcome] = []
    with pytest.raises(NotSent):
        outcomes.extend(ready.write(changes(deals[:3])))
    assert outcomes == []


def test_an_unknown_field_does_not_take_the_others_with_it(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    made = changes(deals[:199])
    made.append(Change("opportunity", deals[199], {HYGIENE: Decimal(1), "Nowhere__c": "x"}))
    outcomes = write(ready, made)
    assert counts(outcomes) == {"written": 199, "refused": 1}
    assert outcomes[deals[199]].fields == ("Nowhere__c",)
    assert len(sent(sandbox)) == 1


def test_a_field_that_vanished_meanwhile_does_not_either(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    ready.fields("opportunity")
    made = changes(deals[:63])
    made.append(Change("opportunity", deals[63], {HYGIENE: Decimal(1), "Pipelint_Summary__c": "x"}))
    row = sandbox.org.query(
        "SELECT Id FROM FieldPermissions WHERE Field = 'Opportunity.Pipelint_Summary__c'"
    )[0]
    sandbox.org.delete("FieldPermissions", str(row["Id"]))
    outcomes = write(ready, made)
    assert counts(outcomes) == {"written": 63, "refused": 1}
    assert outcomes[deals[63]].code == "INVALID_FIELD"
    assert outcomes[deals[63]].fields == ("Pipelint_Summary__c",)
    assert [len(ids) for ids in sent(sandbox)] == [64, 63]


def test_a_value_of_the_wrong_type_stays_alone(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    made = changes(deals[:7])
    made.append(Change("opportunity", deals[7], {HYGIENE: "many"}))
    outcomes = write(ready, made)
    assert counts(outcomes) == {"written": 7, "refused": 1}
    assert outcomes[deals[7]].code == "JSON_PARSER_ERROR"


def test_what_was_deleted_meanwhile_is_gone(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    sandbox.org.delete("Opportunity", deals[1])
    assert counts(write(ready, changes(deals[:3]))) == {"written": 2, "gone": 1}


def test_an_expired_session_is_renewed_in_the_middle(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    sandbox.expire_sessions()
    assert counts(write(ready, changes(deals[:3]))) == {"written": 3}


def test_fields_that_are_not_there_cannot_be_read(connector: SalesforceConnector, deals: list[str]) -> None:
    with pytest.raises(PermissionMissing, match="Pipelint_Nothing__c"):
        list(connector.read("opportunity", deals[:3], ["Pipelint_Nothing__c"]))


def test_many_ids_are_read_in_chunks(ready: SalesforceConnector, deals: list[str]) -> None:
    unknown = [f"006{number:012d}AAA" for number in range(400)]
    assert set(stored(ready, [*unknown, *deals[:3]])) == set(deals[:3])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Pipelint_Summary__c", "x" * 300),
        ("Pipelint_Summary__c", "y" * 254 + "  z"),
        ("Pipelint_Summary__c", "  padded\r\ntext "),
        ("Pipelint_Summary__c", "   "),
        ("Pipelint_Hygiene__c", Decimal("72.4")),
        ("Pipelint_Hygiene__c", Decimal("72.5")),
        ("Pipelint_Flags__c", ("single-threaded", "close-date-past", "single-threaded")),
        ("Pipelint_Flags__c", ()),
    ],
)
@pytest.mark.parametrize("many", [False, True])
def test_what_is_read_back_equals_what_was_meant(
    ready: SalesforceConnector,
    deals: list[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: WriteValue,
    many: bool,
) -> None:
    """Else it would be written again for ever."""
    if many:
        monkeypatch.setattr(writing, "LIMITS", WriteLimits(batch=200, job=40, job_above=0))
    assert counts(write(ready, [Change("opportunity", deals[0], {name: value})])) == {"written": 1}
    [(_, read)] = ready.read("opportunity", deals[:1], [name])
    assert read[name] == ready.normalised("opportunity", name, value)


@pytest.mark.parametrize("many", [False, True])
def test_a_converted_lead_is_skipped_with_the_reason(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    if many:
        monkeypatch.setattr(writing, "LIMITS", WriteLimits(batch=200, job=40, job_above=0))
    leads = [sandbox.org.create("Lead", {"LastName": f"Lead {n}", "Company": "Acme"}) for n in range(2)]
    store = sandbox.org.store
    store.update(store.schema["Lead"], leads[0], {"IsConverted": 1})
    outcomes = write(ready, [Change("lead", lead, {"Rating": "Hot"}) for lead in leads])
    assert outcomes[leads[0]].code == "CANNOT_UPDATE_CONVERTED_LEAD"
    assert counts(outcomes) == {"written": 1, "refused": 1}
