"""What a Pipedrive refusal means: one table from status and words to what the caller does next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipelint.connectors.answers import brief
from pipelint.connectors.http import AnswerLost
from pipelint.errors import (
    Busy,
    Fix,
    PermissionMissing,
    PipelintError,
    QuotaExhausted,
    RecordGone,
    RecordRefused,
    SessionExpired,
    SignInRefused,
    Stop,
    UnexpectedAnswer,
)


class Blocked(Stop):
    """Pipedrive's front door has shut us out: one more call would make it worse (fact sheet §6)."""


class ScopeMissing(PermissionMissing):
    """The app lacks a right that no record is an exception from."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One line of the table: the first whose status and words fit is it; None is any status."""

    status: int | None
    raises: type[PipelintError]
    hint: str = ""
    words: str = ""


_SIGN_IN = "make a new API token in Pipedrive (Personal preferences > API) and set it"
_SCOPES = "give the app the scopes that doctor lists, and sign in again"
_RIGHTS = "let the user of the token see and edit all deals (permission set, visibility group)"
_DRIFT = "a field or one of its options may have been deleted: run doctor"
_PLAN = "the plan of the company has no room for it: delete unused custom fields, or upgrade"

MEANINGS: Final[tuple[Meaning, ...]] = (
    # the token endpoint of OAuth
    Meaning(400, SignInRefused, "sign in to the app again: the refresh token is dead", "invalid_grant"),
    Meaning(400, SignInRefused, "check client_id and client_secret", "invalid_client"),
    Meaning(401, SignInRefused, "check client_id and client_secret", "invalid_client"),
    # sign in again, once; an API token cannot
    Meaning(401, SessionExpired, _SIGN_IN),
    # a person has to change something
    Meaning(402, Fix, "the company's Pipedrive account is not open: see to its subscription"),
    Meaning(403, ScopeMissing, _SCOPES, "scope"),
    Meaning(403, PermissionMissing, _PLAN, "feature_capping"),
    Meaning(403, PermissionMissing, _RIGHTS),
    # one record
    Meaning(404, RecordGone),
    Meaning(410, RecordGone),
    Meaning(400, RecordRefused, "archived deals cannot be edited: restore the deal, or ignore it", "archiv"),
    Meaning(400, RecordRefused, _DRIFT),
    Meaning(422, RecordRefused, _DRIFT),
    # later
    Meaning(429, Busy),
    Meaning(500, Busy),
    Meaning(502, Busy),
    Meaning(503, Busy),
    Meaning(504, Busy),
    Meaning(None, UnexpectedAnswer),
)  # fmt: skip

BLOCKED: Final = Meaning(403, Blocked, "wait some hours; see which other integration uses the same token")
"""Told by a page in place of JSON."""

SPENT: Final = Meaning(
    429, QuotaExhausted, "they come back at midnight of Pipedrive's servers; the next run continues"
)
"""Told by a header: what is left for the day is nothing."""

LONGEST_WAIT: Final = 2.0
"""The window of the burst limit in seconds, for answers that name no time (fact sheet §6)."""


def meaning(status: int, message: str) -> Meaning:
    """The line of the table for a refusal."""
    said = message.casefold()
    return next(line for line in MEANINGS if line.status in {None, status} and line.words in said)


def translated(
    name: str, status: int, content_type: str, body: bytes, headers: Mapping[str, str]
) -> PipelintError:
    """The error of ours for an answer with an error status; pages that are not JSON are never quoted."""
    is_json = "json" in content_type
    if status == 403 and not is_json:
        what = "Pipedrive blocks calls from here: too many came after it had asked to slow down"
        return BLOCKED.raises(what, hint=BLOCKED.hint)
    if status == 429:
        return _too_many(name, headers)
    try:
        code, message = _details(body) if is_json else ("", "")
    except ValueError:
        if status < 500:
            return AnswerLost(f"Pipedrive's refusal of {name} (HTTP {status}) is cut short")
        code = message = ""
    line = meaning(status, f"{code} {message}")
    said = message or code or f"HTTP {status}"
    reference = headers.get("x-correlation-id", "")
    text = f"Pipedrive refuses {name} ({said}{f'; its reference {reference}' if reference else ''})"
    if issubclass(line.raises, Busy | SessionExpired):
        return line.raises(text, hint=line.hint, after=_seconds(headers.get("Retry-After")))
    if issubclass(line.raises, RecordRefused):
        return line.raises(text, code=code or str(status), hint=line.hint)
    return line.raises(text, hint=line.hint)


def _too_many(name: str, headers: Mapping[str, str]) -> PipelintError:
    """Two limits answer alike: that of two seconds passes, that of the day does not."""
    if headers.get("x-daily-ratelimit-token-remaining") == "0":
        what = "the company's API tokens for today are used up, by all integrations together"
        return SPENT.raises(what, hint=SPENT.hint)
    waits = (_seconds(headers.get(name)) for name in ("Retry-After", "x-ratelimit-reset"))
    after = max([LONGEST_WAIT, *(wait for wait in waits if wait is not None)])
    return Busy(f"Pipedrive asks to come back later with {name}", after=after)


def _details(body: bytes) -> tuple[str, str]:
    """Code and message: `error` and `error_info` in v1, `error` and `code` in v2 (fact sheet §7)."""
    answer: Any = json.loads(body)
    if not isinstance(answer, dict):
        return "", ""
    error = answer.get("error") or answer.get("message") or ""
    description = answer.get("error_description") or ""
    said = f"{error}: {description}" if description else str(error)
    return str(answer.get("code") or answer.get("errorCode") or ""), brief(said)


def _seconds(value: str | None) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        return None
