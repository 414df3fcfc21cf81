"""What is to be written into a CRM: the changes, and how many records they leave as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelint.connectors.base import WriteValue
from pipelint.engine.refusals import Refusal
from pipelint.engine.shown import Shown
from pipelint.engine.values import Plain
from pipelint.rules.catalogue import RecordKind


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One field of one record: what it holds now, and what it should hold."""

    connection: str
    kind: RecordKind
    id: str
    name: str
    field: str
    old: WriteValue
    new: WriteValue


@dataclass(frozen=True, slots=True)
class PlannedRecord:
    """The changes of one record.

    `holds` is what it shows of ours now, `shows` once the changes are made; `wanted` are all values that it
    should hold; records of one `group` are written together; `written_before`: we wrote to it earlier; `value` is
    what is at stake, as prepared.
    """

    kind: RecordKind
    id: str
    group: str
    modified_at: int
    changes: tuple[PlannedChange, ...]
    wanted: Mapping[str, Plain]
    holds: Shown
    shows: Shown
    written_before: bool
    value: int = 0


@dataclass(slots=True)
class Plan:
    """What one connection needs."""

    connection: str
    records: list[PlannedRecord] = field(default_factory=list)
    unchanged: int = 0
    deferred: int = 0
    """Records of which time alone moved a text."""
    refused: list[Refusal] = field(default_factory=list)
    """Refused by the CRM earlier, and nothing has changed since that could make it accept."""
    written_before: int = 0
    """Records in scope that we have written to, whether they change or not."""
    held_back: Counter[RecordKind] = field(default_factory=Counter)
    """Records that differed when they were last looked at; nothing is written, so they are not looked at again."""
    held_back_again: int = 0
    """Of these, those that we have written to."""
    pilot: bool = False
    in_scope: int = 0
    """Records that may be written to at all; with a pilot not all that rules look at."""
    trouble: list[str] = field(default_factory=list)
    """Fields and options that the CRM lacks, each with its cure."""

    @property
    def differing(self) -> int:
        """How many records do not show what they should."""
        return len(self.records) + self.held_back.total()

    @property
    def differing_again(self) -> int:
        """Of these, those that we have written to."""
        return sum(record.written_before for record in self.records) + self.held_back_again

    @property
    def changes(self) -> list[PlannedChange]:
        """Field by field."""
        return [change for record in self.records for change in record.changes]
