"""What the engine may ask of a CRM, whichever it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from pipelint.records import Record, Stream

if TYPE_CHECKING:
    import requests

WriteValue: TypeAlias = str | Decimal | int | date | tuple[str, ...] | None
FieldType: TypeAlias = Literal["text", "choice", "choices", "number", "money", "date", "datetime", "yes_no"]
Level: TypeAlias = Literal["ok", "warning", "problem"]
Kind: TypeAlias = Literal["opportunity", "account", "contact", "lead"]


@dataclass(frozen=True, slots=True)
class ConnectContext:
    """What the engine lends a connector: time, place, and in tests the wire.

    `zone` is where a date without a time is meant; `folder` is what relative paths in pipelint.yaml are
    relative to; `state` is a folder for the little that a connector must know in its next run (None: nothing is
    kept); `session` makes the HTTP session (None: the connector's own); `sleep` takes seconds.
    """

    clock: Callable[[], datetime]
    folder: Path
    zone: tzinfo
    state: Path | None = None
    session: Callable[[], requests.Session] | None = None
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Supply:
    """What a connection delivers for one stream: anything else of the stream is *not synced*.

    `fields` are canonical names; `custom` are the CRM's API names of the pack's fields that were found and
    pulled, and `stamps` are those of them that any writing moves, ours too. `complete_since` is the instant from
    which a history stream misses nothing (None: from the beginning of each record); `from_full` says that this is
    no earlier than the end of its last full pull. `whole` are the fields whose changes are all told, from the
    beginning of each record; those of others are known since the first pull. `last_only` are the
    fields of which the CRM tells the last value of each kind alone, on a record made for it: the last e-mail that
    came, and the last that went.
    """

    stream: Stream
    fields: frozenset[str]
    custom: frozenset[str] = frozenset()
    complete_since: datetime | None = None
    whole: frozenset[str] = frozenset()
    from_full: bool = False
    stamps: frozenset[str] = frozenset()
    last_only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the CRM, translated; stored in one transaction together with its cursor.

    `cursor` is the connector's own text from which the same stream continues after this page. An activity
    page holds the activities and all their links: links of a delivered activity that are not there are gone.
    `merged` are records that were merged away, and the record that each went into. `parents` are opportunities
    of which the page holds all children of this stream: others that they had are gone.

    A connector delivers everything when it is asked to (no cursor) and when it must, because what was
    deleted since the cursor can no longer be told. `begins_full` and `ends_full` mark the first and the last
    page of that (both on a single one): at the end, records not delivered since the beginning are gone. A
    full pull that was cut goes on from its cursor without beginning anew.
    """

    stream: Stream
    records: Sequence[Record]
    cursor: str
    deleted: Sequence[str] = ()
    begins_full: bool = False
    ends_full: bool = False
    merged: Mapping[str, str] = field(default_factory=dict)
    parents: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field of the CRM as the integration user sees it."""

    name: str
    label: str
    type: FieldType
    custom: bool = False
    writable: bool = True
    required: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    """API value → label, active ones only."""
    feeds: str = ""
    """Our field that it feeds by itself, without a mapping of the pack."""
    required_in: frozenset[str] = frozenset()
    """The native stages in which the CRM's own pages insist on it; `pipeline/stage` where it is only one's."""

    def offers(self, choice: str) -> bool:
        """Whether a choice may be written, by its API value or its label."""
        return choice in self.choices or choice in self.choices.values()


class OwnFieldType(StrEnum):
    """The forms a field of ours takes in a CRM."""

    FLAGS = "flags"  # several of a fixed list, so that list views can filter
    CHOICE = "choice"
    TEXT = "text"  # at most 255 characters
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class OwnField:
    """A field that pipelint owns in the CRM (architecture §6); `key` is ours, `name` the CRM's."""

    key: str
    kind: Kind
    name: str
    label: str
    type: OwnFieldType
    help: str
    choices: tuple[str, ...] = ()
    length: int = 255


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One thing `setup` would do, or found done, or cannot do."""

    action: Literal["create", "extend", "grant", "assign", "ready", "conflict"]
    target: str
    detail: str = ""
    token: str = ""
    """The connector's own handle for applying the step."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line of `doctor`: what was looked at, what was found, and the cure where there is one."""

    level: Level
    what: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """New values for some of our fields on one record, by the CRM's field names; None clears."""

    kind: Kind
    id: str
    values: Mapping[str, WriteValue]
    group: str = ""
    """Records of one group (the account) are written together and in order, to avoid row locks."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change.

    `unknown`: sent, but no answer came, so read back before trying again. `locked`: somebody else was writing
    to the record all the time, so nothing was written, and the next run may.
    """

    id: str
    status: Literal["written", "refused", "locked", "gone", "unknown"]
    code: str = ""
    message: str = ""
    fields: tuple[str, ...] = ()
    meant: bool = False
    """Of a refusal: the record is left alone as the settings or its own state ask for, which is no failure."""


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """How a CRM wants to be written to."""

    batch: int
    """Records that travel in one request at most."""
    job: int = 0
    """Records of one job at most, where the CRM also takes many at once."""
    job_above: int = 0
    """So many records still go by requests."""

    def together(self, total: int) -> int:
        """How many records to hand over at once when there are so many to write."""
        return self.job if self.job and total > self.job_above else self.batch


class Connector(Protocol):
    """A connection to one CRM. Every method may raise the errors of `pipelint.errors`, grouped there.

    A connector retries by itself what its error table calls retryable (`connectors.retry`), and signs in
    again once when a session ends; what it raises is final for this run.
    """

    name: str
    crm: str
    write_limits: WriteLimits

    @property
    def api_calls(self) -> int:
        """Requests sent so far, retries included."""

    @property
    def calls_left(self) -> int | None:
        """What the CRM said last of its allowance of calls; None where it has said nothing yet, or has none."""

    def streams(self) -> Sequence[Stream]:
        """What this connection can pull, in the order in which it should be pulled."""

    def supply(self, stream: Stream, custom: Sequence[str]) -> Supply:
        """What `pull` of this stream delivers, given the wanted custom fields (API names).

        Asked again when the pull is done, which may have left something of a history for later.
        """

    def pull(self, stream: Stream, cursor: str | None, custom: Sequence[str]) -> Iterator[Page]:
        """Changes since `cursor`, or everything where it is None; always ends with a page, empty or not.

        The generator may be dropped after any page: the cursor stored with it is a place to continue from.
        """

    def fields(self, kind: Kind) -> Sequence[FieldInfo]:
        """The fields of a kind of record that this user can see."""

    def field_ids(self, kind: Kind) -> Mapping[str, str]:
        """The CRM's own ids of fields by their names, of unseen ones too: a renamed field keeps its id.

        Empty where the CRM has none, or this user may not ask for them.
        """

    def plan_setup(self, fields: Sequence[OwnField]) -> Sequence[SetupStep]:
        """What is missing for our fields; nothing is changed."""

    def apply_setup(self, step: SetupStep) -> None:
        """Do one step of the plan; doing it twice does no harm."""

    def clicks(self, fields: Sequence[OwnField]) -> Sequence[str]:
        """What the admin still has to click so that managers see our fields."""

    def diagnose(self, fields: Sequence[OwnField]) -> Iterator[Diagnosis]:
        """Sign-in, rights, fields, quota, clock: each with its cure."""

    def read(
        self, kind: Kind, ids: Sequence[str], names: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
        """The current values of our fields; ids that are gone are left out."""

    def normalised(self, kind: Kind, name: str, value: WriteValue) -> WriteValue:
        """The value as the CRM will store it, so that equal values compare equal."""

    def write(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Write in batches; one outcome for each change, in any order, as soon as it is known."""

    def close(self) -> None:
        """Give the connection back."""


@dataclass(frozen=True, slots=True)
class WriteBudget:
    """What a CRM that counts each write leaves us: in its own tokens, and in seconds."""

    prices: Mapping[Kind, int]
    """Tokens for one record of a kind that is written."""
    left: int
    """Tokens that may go into writing now."""
    daily: int
    """Tokens that may go into writing in a day."""
    seconds: float
    """How long one record takes, at a pace that leaves room for others."""


@runtime_checkable
class Budgeted(Protocol):
    """A connector whose CRM takes each write from a daily allowance: what does not fit is written later."""

    def write_budget(self) -> WriteBudget:
        """As it is now, after the pull."""


@runtime_checkable
class Packaging(Protocol):
    """A connector whose CRM also takes our fields as files that an administrator deploys."""

    def package(self, fields: Sequence[OwnField]) -> Mapping[str, str]:
        """Relative path → text."""

    def deploying(self, fields: Sequence[OwnField], folder: str) -> Sequence[str]:
        """What is left for the administrator, beginning with the deployment of the files in this folder."""
