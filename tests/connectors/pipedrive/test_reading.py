"""How the values of a deal are read: Pipedrive's own fields, and those that a company added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.connectors.pipedrive.endpoints import DEALS
from pipelint.records import Account, ContactRole, Opportunity, Stage, Stream
from pipelint.sandbox.pipedrive import PipedriveSandbox


def deal(connector: PipedriveConnector, id_: str, *mapped: str) -> Opportunity:
    records = [it for page in connector.pull(Stream.OPPORTUNITIES, None, mapped) for it in page.records]
    [found] = [it for it in records if isinstance(it, Opportunity) and it.id == id_]
    return found


def test_a_field_of_pipedrive_is_mapped_like_one_that_was_added(
    sandbox: PipedriveSandbox, connector: PipedriveConnector
) -> None:
    code = sandbox.company.fields.by_name("deals", "Budget")["field_code"]
    told = {"status": "lost", "lost_reason": "Too dear", "probability": 40}
    sandbox.company.update("deals", 1, {**told, "custom_fields": {code: "agreed"}})
    read = deal(connector, "1", "lost_reason", "probability", "Budget")
    assert read.custom == {"lost_reason": "Too dear", "probability": Decimal(40), "Budget": "agreed"}
    supplied = connector.supply(Stream.OPPORTUNITIES, ["lost_reason", "probability", "Budget", "nowhere"])
    assert supplied.custom == {"lost_reason", "probability", "Budget"}


def test_only_added_fields_are_asked_for_by_name(
    sandbox: PipedriveSandbox, connector: PipedriveConnector
) -> None:
    deal(connector, "1", "lost_reason")
    asked = [it.query for it in sandbox.requests if it.path == DEALS.path]
    assert asked
    assert not any("custom_fields" in it for it in asked)


def test_the_reason_for_a_loss_is_offered_for_rules(connector: PipedriveConnector) -> None:
    [field] = [it for it in connector.fields("opportunity") if it.name == "lost_reason"]
    assert field.feeds == "lost_reason"


def test_a_value_that_nobody_gave_is_no_amount(
    sandbox: PipedriveSandbox, connector: PipedriveConnector
) -> None:
    sandbox.company.update("deals", 1, {"value": 0})
    assert deal(connector, "1").amount is None
    assert deal(connector, "20").amount is not None


HANGING = (Stream.OPPORTUNITIES, Stream.STAGE_CHANGES, Stream.CONTACT_ROLES, Stream.LINE_ITEMS)


def asked_for_deals(sandbox: PipedriveSandbox) -> int:
    return sum(it.path == DEALS.path for it in sandbox.requests)


def test_what_hangs_on_deals_goes_by_the_first_list_of_them_and_asks_for_none_of_its_own(
    sandbox: PipedriveSandbox, connector: PipedriveConnector
) -> None:
    for deal in (3, 30, 50):  # one on each page
        sandbox.company.update("deals", deal, {"person_id": 1})
    pages = {stream: list(connector.pull(stream, None, ())) for stream in HANGING}
    assert asked_for_deals(sandbox) == len(pages[Stream.OPPORTUNITIES]) - 1  # the last one is of the archive
    roles = [it for page in pages[Stream.CONTACT_ROLES] for it in page.records]
    assert [it.opportunity for it in roles if isinstance(it, ContactRole) and it.is_primary] == [
        "3",
        "30",
        "50",
    ]


def test_a_stream_that_is_pulled_by_itself_asks_for_the_deals(
    sandbox: PipedriveSandbox, connector: PipedriveConnector
) -> None:
    list(connector.pull(Stream.OPPORTUNITIES, None, ()))
    [*_, last] = connector.pull(Stream.CONTACT_ROLES, None, ())
    before = asked_for_deals(sandbox)
    list(connector.pull(Stream.CONTACT_ROLES, last.cursor, ()))
    assert asked_for_deals(sandbox) > before
    list(connector.pull(Stream.CONTACT_ROLES, None, ()))
    assert asked_for_deals(sandbox) > before + 1


def test_a_chance_of_nothing_is_not_that_of_the_stage(
    sandbox: PipedriveSandbox, connector: PipedriveConnector
) -> None:
    sandbox.company.update("deals", 1, {"probability": 0})
    assert deal(connector, "1").probability == 0
    assert deal(connector, "2").probability == deal(connector, "2").stage_probability


def test_a_pull_of_everything_asks_for_the_stages_anew(
    sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector], tmp_path: Path
) -> None:
    def names() -> set[str | None]:
        pages = connect(sandbox, state=tmp_path).pull(Stream.STAGES, None, ())
        return {it.label for page in pages for it in page.records if isinstance(it, Stage)}

    assert "Renamed" not in names()
    sandbox.company.update("stages", 1, {"name": "Renamed"})
    assert "Renamed" in names()


def test_what_changed_is_asked_for_by_pipedrives_clock_whatever_the_first_stream(
    sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector]
) -> None:
    wrong = connect(sandbox, ahead=timedelta(minutes=20))
    *_, last = wrong.pull(Stream.ACCOUNTS, None, ())
    sandbox.clock.advance(timedelta(minutes=5))
    sandbox.company.update("organizations", 1, {"name": "Changed since"})
    changed = connect(sandbox).pull(Stream.ACCOUNTS, last.cursor, ())
    assert "Changed since" in {it.name for page in changed for it in page.records if isinstance(it, Account)}


REQUIRED: Mapping[str, tuple[dict[str, object], set[str]]] = {
    "nowhere": ({"enabled": False, "stage_ids": [3]}, set()),
    "at some stages": ({"enabled": True, "stage_ids": [3, 4]}, {"3", "4"}),
    "everywhere": ({"enabled": True}, {str(it) for it in range(1, 14)} - {"9"}),
    "when won": ({"enabled": True, "statuses": {"2": ["won"]}}, {"2/won"}),
    "at a stage and when lost": (
        {"enabled": True, "stage_ids": [1], "statuses": {"1": ["lost"]}},
        {"1", "1/lost"},
    ),
}


@pytest.mark.parametrize(("given", "told"), REQUIRED.values(), ids=REQUIRED)
def test_where_an_admin_requires_a_field_is_told_by_stages(
    sandbox: PipedriveSandbox, connector: PipedriveConnector, given: dict[str, object], told: set[str]
) -> None:
    fields = sandbox.company.fields
    fields.change("deals", fields.by_name("deals", "Need")["field_code"], {"required_fields": given})
    [need] = [it for it in connector.fields("opportunity") if it.label == "Need"]
    assert need.required_in == told
