"""The files connector is a connector like any other."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import ClassVar

import pytest

from pipelint.connectors.contract import Behind, ConnectorContract
from pipelint.connectors.files import FilesConnector, connector
from pipelint.records import Stream

from .conftest import Connect

HEADERS = {
    Stream.OPPORTUNITIES: [
        "id",
        "title",
        "value",
        "stage",
        "owner",
        "account",
        "closes",
        "added",
        "discount",
    ],
    Stream.ACCOUNTS: ["id", "name", "employees"],
    Stream.OWNERS: ["id", "name", "active"],
    Stream.CONTACT_ROLES: ["opportunity", "contact", "role"],
    Stream.ACTIVITIES: ["id", "type", "happened_at", "opportunity", "account"],
    Stream.STAGE_CHANGES: ["opportunity", "from_stage", "to_stage", "at"],
    Stream.FIELD_CHANGES: ["id", "record", "field", "old", "new", "at"],
    Stream.STAGES: ["id", "pipeline", "position", "is_open"],
}
CHANGING = {
    Stream.OPPORTUNITIES: "title",
    Stream.ACCOUNTS: "name",
    Stream.OWNERS: "name",
    Stream.ACTIVITIES: "type",
}


class Folder:
    """Exports that somebody writes again whenever the CRM changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = itertools.count(1)
        self.tables = {stream: [self._row(stream, n) for n in range(7)] for stream in HEADERS}
        for stream in self.tables:
            self._save(stream)

    def create(self, stream: Stream) -> str:
        row = self._row(stream, 100 + next(self.numbers))
        self.tables[stream].append(row)
        self._save(stream)
        return row["id"]

    def change(self, stream: Stream, id: str) -> None:  # noqa: A002
        row = next(row for row in self.tables[stream] if row["id"] == id)
        row[CHANGING[stream]] = f"changed {next(self.numbers)} times"
        self._save(stream)

    def delete(self, stream: Stream, id: str) -> None:  # noqa: A002
        self.tables[stream] = [row for row in self.tables[stream] if row["id"] != id]
        self._save(stream)

    def _save(self, stream: Stream) -> None:
        with (self.folder / f"{stream}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, HEADERS[stream])
            writer.writeheader()
            writer.writerows(self.tables[stream])

    def _row(self, stream: Stream, n: int) -> dict[str, str]:
        said = {
            "id": f"{stream}-{n:03}",
            "value": f"{n}00.50",
            "employees": str(n),
            "position": str(n),
            "active": "yes",
            "is_open": "true",
            "closes": "2026-12-31",
            "opportunity": f"opportunity-{n:03}",
            "record": f"opportunity-{n:03}",
            "account": f"account-{n:03}" if n % 2 else "",
        }
        times = dict.fromkeys(("added", "happened_at", "at"), f"2026-11-{n % 28 + 1:02} 09:30")
        return {name: {**said, **times}.get(name, f"{name} {n}") for name in HEADERS[stream]}


class TestFiles(ConnectorContract):
    changing: ClassVar = tuple(CHANGING)
    deleting: ClassVar = tuple(CHANGING)
    custom: ClassVar = {Stream.OPPORTUNITIES: ["discount", "not there"]}

    @pytest.fixture
    def folder(self, tmp_path: Path, connection: Connect) -> Folder:
        return Folder(tmp_path / "exports")

    @pytest.fixture
    def behind(self, folder: Folder) -> Behind:
        return folder

    @pytest.fixture
    def connector(
        self, folder: Folder, connection: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> FilesConnector:
        monkeypatch.setattr(connector, "PAGE_ROWS", 3)
        streams: dict[str, dict[str, object]] = {s.name.lower(): {"file": f"{s}.csv"} for s in HEADERS}
        streams["opportunities"] |= {
            "columns": {"name": "title", "amount": "value", "close_date": "closes", "created_at": "added"},
            "constants": {"currency": "EUR"},
        }
        return connection(**streams)
