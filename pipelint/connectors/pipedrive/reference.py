"""What hardly changes: fields, stages and pipelines, asked for once a day and kept beside the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from pipelint.connectors.pipedrive.client import Client, Row
from pipelint.connectors.pipedrive.endpoints import (
    DEAL_FIELDS,
    ORGANIZATION_FIELDS,
    PERSON_FIELDS,
    PIPELINES,
    STAGES,
    Endpoint,
)
from pipelint.connectors.pipedrive.schema import Field, Fields, read_fields

DAILY: Final = timedelta(hours=23)
"""So old may an answer be: a little less than a day, so that a schedule asks at about the same time."""

LISTS: Final = ("deal_fields", "person_fields", "organization_fields", "stages", "pipelines")

T = TypeVar("T")


class StageRow(msgspec.Struct, frozen=True):
    """A stage; `days_to_rotten` counts from the last change of a deal, where the admin switched it on."""

    id: int
    name: str
    pipeline_id: int
    order_nr: int = 0
    is_deleted: bool = False
    deal_probability: int | None = None
    is_deal_rot_enabled: bool = False
    days_to_rotten: int | None = None


class PipelineRow(msgspec.Struct, frozen=True):
    """A pipeline."""

    id: int
    name: str
    order_nr: int = 0
    is_deleted: bool = False
    is_deal_probability_enabled: bool = False


class _Kept(msgspec.Struct):
    asked_at: datetime
    content: msgspec.Raw


class Reference:
    """Each list is asked for when it is first needed; `fresh` forgets what was kept."""

    def __init__(self, client: Client, folder: Path | None, name: str) -> None:
        self._client = client
        self._folder = folder
        self._name = name

    @cached_property
    def deal_fields(self) -> Fields:
        return self._fields("deal-fields", DEAL_FIELDS)

    @cached_property
    def person_fields(self) -> Fields:
        return self._fields("person-fields", PERSON_FIELDS)

    @cached_property
    def organization_fields(self) -> Fields:
        return self._fields("organization-fields", ORGANIZATION_FIELDS)

    @cached_property
    def stages(self) -> dict[int, StageRow]:
        rows = self._daily("stages", list[StageRow], lambda: self._rows(STAGES, "the stages", StageRow))
        return {row.id: row for row in rows}

    @cached_property
    def pipelines(self) -> dict[int, PipelineRow]:
        rows = self._daily(
            "pipelines", list[PipelineRow], lambda: self._rows(PIPELINES, "the pipelines", PipelineRow)
        )
        return {row.id: row for row in rows}

    def own_fields(self, names: Iterable[str]) -> None:
        """Keep the keys of our fields: an admin may give one another name."""
        file = self._file("own-fields")
        found = {name: field.code for name in names if (field := self.deal_fields.find(name)) is not None}
        if file is not None and not found.items() <= self._own_fields().items():
            _write(file, msgspec.json.encode(self._own_fields() | found))

    def fresh(self, *names: str) -> None:
        """Ask anew for some lists or all: something was changed, or a person looks."""
        for name in names or LISTS:
            self.__dict__.pop(name, None)
            if (file := self._file(name.replace("_", "-"))) is not None:
                file.unlink(missing_ok=True)

    def _fields(self, what: str, endpoint: Endpoint) -> Fields:
        name = f"the {what.replace('-', ' ')}"
        found = self._daily(what, list[Field], lambda: read_fields(self._client, endpoint, name=name))
        return Fields(found, self._own_fields() if endpoint is DEAL_FIELDS else {})

    def _own_fields(self) -> dict[str, str]:
        file = self._file("own-fields")
        if file is None or not file.exists():
            return {}
        try:
            return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.MsgspecError):
            return {}  # they go by their names then

    def _rows(self, endpoint: Endpoint, name: str, kind: type[T]) -> list[T]:
        rows: list[Row] = [row for page in self._client.pages(endpoint, name=name) for row in page.rows]
        return [msgspec.convert(row, kind, strict=False) for row in rows]

    def _daily(self, what: str, kind: type[T], ask: Callable[[], T]) -> T:
        """What was kept, where it is not a day old; else the answer to `ask`, which is kept."""
        file = self._file(what)
        now = self._client.context.clock()
        if file is not None and file.exists():
            try:
                kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
                if timedelta() <= now - kept.asked_at < DAILY:
                    return msgspec.json.decode(kept.content, type=kind)
            except (OSError, msgspec.MsgspecError):
                pass  # written by another version: ask anew
        answer = ask()
        if file is not None:
            content: Any = msgspec.Raw(msgspec.json.encode(answer))
            _write(file, msgspec.json.encode(_Kept(now, content)))
        return answer

    def _file(self, what: str) -> Path | None:
        return self._folder / f"{self._name}-{what}.json" if self._folder else None


def _write(file: Path, content: bytes) -> None:
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(file)
