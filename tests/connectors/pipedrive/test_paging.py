"""Lists of API v1 tell in three ways that there is more; all of it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.client import Answer, Client
from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.records import Lead, Stream
from pipelint.sandbox.pipedrive import PipedriveSandbox
from pipelint.sandbox.pipedrive.schema import LEADS
from tests.connectors.pipedrive.conftest import PAGE

MORE = {"start": 0, "limit": 2, "more_items_in_collection": True}
END = {"start": 2, "limit": 2, "more_items_in_collection": False}

FORMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "flat": (MORE, END),
    "in pagination": ({"pagination": MORE}, {"pagination": END}),
    "with the next start": ({"pagination": {**MORE, "next_start": 7}}, {"pagination": END}),
}


@pytest.mark.parametrize(("first", "last"), FORMS.values(), ids=FORMS)
def test_a_list_goes_on_where_it_says_so(
    connector: PipedriveConnector,
    monkeypatch: pytest.MonkeyPatch,
    first: dict[str, Any],
    last: dict[str, Any],
) -> None:
    answers = [
        Answer(data=[{"id": 1}, {"id": 2}], additional_data=first),
        Answer(data=[{"id": 3}], additional_data=last),
    ]
    starts: list[str] = []

    def get(_: Client, __: e.Endpoint, *, params: dict[str, str], **___: str) -> Answer:
        starts.append(params["start"])
        return answers[len(starts) - 1]

    monkeypatch.setattr(Client, "get", get)
    pages = list(connector._client.counted(e.LEADS, name="the leads"))
    assert [row["id"] for page in pages for row in page.rows] == [1, 2, 3]
    assert starts == ["0", "7" if "next_start" in str(first) else "2"]


def test_a_list_that_was_cut_misses_none_though_leads_before_its_place_are_deleted(
    sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector]
) -> None:
    for number in range(2 * PAGE):
        sandbox.company.create("leads", {"title": f"Lead {number}"})
    first = next(iter(connect(sandbox).pull(Stream.LEADS, None, ())))
    gone = [record.id for record in first.records if isinstance(record, Lead)][:5]
    for lead in gone:
        sandbox.company.delete("leads", lead)
    rest = list(connect(sandbox).pull(Stream.LEADS, first.cursor, ()))
    told = {it.id for page in [first, *rest] for it in page.records if isinstance(it, Lead)}
    assert told >= {row["id"] for row in sandbox.company.store.select(LEADS)}
    assert rest[-1].ends_full


@pytest.mark.parametrize("archived", [False, True], ids=["open", "archived"])
def test_leads_come_to_the_last_of_many_pages(
    sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector], archived: bool
) -> None:
    for number in range(2 * PAGE):
        lead = sandbox.company.create("leads", {"title": f"Lead of page {number}"})["id"]
        if archived:
            sandbox.company.update("leads", lead, {"is_archived": True})
    pages = list(connect(sandbox).pull(Stream.LEADS, None, ()))
    leads = [record.id for page in pages for record in page.records if isinstance(record, Lead)]
    assert len(leads) == len(set(leads)) == len(sandbox.company.store.select(LEADS))
    assert all(
        "sort=id" in it.query for it in sandbox.requests if it.path in {e.LEADS.path, e.ARCHIVED_LEADS.path}
    )
    assert pages[-1].ends_full
