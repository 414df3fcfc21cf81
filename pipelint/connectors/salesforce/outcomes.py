"""What became of a change, in the words that both ways of writing share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from pipelint.connectors.answers import brief
from pipelint.connectors.base import Change, Outcome
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.refusal import meaning
from pipelint.connectors.salesforce.streams import OBJECT_OF
from pipelint.errors import Busy, RecordGone

Status: TypeAlias = Literal["refused", "locked", "gone"]


def refused_here(client: Client, change: Change) -> Outcome | None:
    """A change that cannot succeed, and would take all those with it that it travels with."""
    info = client.describe(OBJECT_OF[change.kind])
    unseen = tuple(name for name in change.values if not info.sees(name))
    if unseen:
        message = f"No such column '{unseen[0]}', or no access to it: run setup"
        return Outcome(change.id, "refused", "INVALID_FIELD", message, unseen)
    closed = tuple(name for name in change.values if not info.by_name[name].updateable)
    if closed:
        message = f"'{closed[0]}' may not be edited by the integration user: run setup"
        return Outcome(change.id, "refused", "INVALID_FIELD_FOR_INSERT_UPDATE", message, closed)
    return None


def judged(id_: str, code: str, message: str, fields: Sequence[str]) -> Outcome:
    """What Salesforce says of one record that it did not write."""
    raises = meaning(None, code, message).raises
    status: Status = "refused"
    if issubclass(raises, RecordGone):
        status = "gone"
    elif issubclass(raises, Busy):
        status = "locked"
    return Outcome(id_, status, code, brief(message), tuple(fields))


def unknown(change: Change, message: str) -> Outcome:
    """It may have been written: the caller reads back before it tries again."""
    return Outcome(change.id, "unknown", message=message)
