"""Owners, pipelines and stages: short lists, delivered whole where they differ from the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.hubspot.answers import Paging
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.normalise import instant
from pipelint.connectors.hubspot.schema import Portal
from pipelint.connectors.overlap import digest
from pipelint.records import Owner, Pipeline, Record, Stage, Stream

OWNERS_A_PAGE: Final = 500
OWNER_FIELDS: Final = frozenset(Owner._fields) - {"manager"}
STAGE_FIELDS: Final = frozenset(Stage._fields) - {"forecast_category"}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Team(msgspec.Struct):
    """A team of an owner."""

    name: str = ""
    primary: bool = False


class OwnerRow(msgspec.Struct):
    """An owner; deactivated ones are archived, and their ids stay on deals (fact sheet §8)."""

    id: str
    userId: int | str | None = None  # noqa: N815 - HubSpot's name
    userIdIncludingInactive: int | str | None = None  # noqa: N815 - HubSpot's name
    email: str | None = None
    firstName: str | None = None  # noqa: N815 - HubSpot's name
    lastName: str | None = None  # noqa: N815 - HubSpot's name
    updatedAt: str | None = None  # noqa: N815 - HubSpot's name
    archived: bool = False
    teams: list[Team] = []


class OwnerRows(msgspec.Struct):
    """A page of owners."""

    results: list[OwnerRow]
    paging: Paging | None = None


class Owners:
    """All owners, those who left, too."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._people: dict[str, str] | None = None

    @property
    def people(self) -> Mapping[str, str]:
        """The owners by the ids that they have as users; asked for where this run has not read them."""
        if self._people is None:
            self.read()
        return self._people or {}

    def read(self) -> list[Record]:
        rows = list(_rows(self._client))
        self._people = {
            str(user): row.id for row, _ in rows if (user := row.userId or row.userIdIncludingInactive)
        }
        return list({row.id: _owner(row, left=left) for row, left in rows}.values())


def _rows(client: Client) -> Iterator[tuple[OwnerRow, bool]]:
    """Each owner, and whether this is one who left; those who are there come last."""
    for archived in ("true", "false"):
        after: str | None = None
        while True:
            query = [("limit", str(OWNERS_A_PAGE)), ("archived", archived)]
            query += [("after", after)] if after else []
            page = client.get(client.reading.owners(), OwnerRows, name="the owners", query=query)
            yield from ((row, archived == "true" or row.archived) for row in page.results)
            after = page.paging.next.after if page.paging and page.paging.next else None
            if after is None:
                break


def pipelines(portal: Portal) -> list[Record]:
    """The pipelines of deals, in order."""
    return [Pipeline(row.id, row.label, not row.archived) for row in portal.pipelines("deals").values()]


def stages(portal: Portal) -> list[Stage]:
    """The stages of each pipeline of deals, in order."""
    return [
        Stage(
            id=stage.id,
            pipeline=pipeline.id,
            label=stage.label,
            position=place,
            is_open=not stage.closed,
            is_won=stage.won,
            probability=stage.chance,
            active=not stage.archived and not pipeline.archived,
        )
        for pipeline in portal.pipelines("deals").values()
        for place, stage in enumerate(sorted(pipeline.stages, key=lambda each: each.displayOrder))
    ]


def page(stream: Stream, records: Sequence[Record], cursor: str | None) -> Iterator[Page]:
    """One page with everything, or an empty one where the last pull delivered the same."""
    sign = digest(records)
    if cursor == sign:
        yield Page(stream, (), sign)
    else:
        yield Page(stream, records, sign, begins_full=True, ends_full=True)


def _owner(row: OwnerRow, *, left: bool) -> Owner:
    teams = sorted(row.teams, key=lambda team: not team.primary)
    return Owner(
        id=row.id,
        modified_at=instant(row.updatedAt) or _EPOCH,
        name=" ".join(name for name in (row.firstName, row.lastName) if name) or row.email,
        email=row.email,
        active=not left,
        team=teams[0].name if teams else None,
    )
