"""What a Salesforce refusal means: one table from status and code to what the caller does next."""

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
    UnexpectedAnswer,
)

ANY: Final = ""


class RequestInvalid(UnexpectedAnswer):
    """A whole request failed over its content, perhaps over a single field or record in it."""

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class QueryTimedOut(Busy):
    """A query took more than its two minutes; another way of asking may be quicker."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One line of the table: the first whose status, code and words all fit is it."""

    status: int | None
    code: str
    raises: type[PipelintError]
    hint: str = ""
    words: str = ""


SIGN_IN: Final = "check the credentials of the connection"
"""Where nothing better is known; `signin.HINTS` tells what to look at for each way to sign in."""

_DRIFT = "a field or an object may have been renamed, or is not visible to the integration user: run doctor"
_LIMIT = "calls come free as they turn 24 hours old; the next run continues"
_RULE = "a validation rule of the org refuses the record as it is"
_CODE = "a flow or trigger of the org fails on this record"
_RIGHTS = "give the integration user the right, in the permission set Pipelint"
_SETUP = "run: pipelint setup --apply"
_ABSENT = "it is not there, not visible, or not part of this api_version: run doctor"
_VERSION = "leave api_version out of pipelint.yaml, or set it to one that this org speaks"

MEANINGS: Final[tuple[Meaning, ...]] = (
    # the token endpoint, which says `error` instead of `errorCode` (fact sheet §1)
    Meaning(400, "invalid_grant", SignInRefused, SIGN_IN),
    Meaning(400, "invalid_client", SignInRefused, SIGN_IN),
    Meaning(401, "invalid_client", SignInRefused, SIGN_IN),
    Meaning(400, "invalid_client_id", SignInRefused, SIGN_IN),
    Meaning(400, "inactive_user", SignInRefused, "choose another integration user"),
    Meaning(400, "unsupported_grant_type", SignInRefused, "enable this flow in the app"),
    Meaning(400, "invalid_request", SignInRefused, SIGN_IN),
    Meaning(None, "INVALID_LOGIN", SignInRefused, SIGN_IN),
    # sign in again, once
    Meaning(401, ANY, SessionExpired),
    # later
    Meaning(None, "REQUEST_LIMIT_EXCEEDED", Busy, words="concurrent"),
    Meaning(None, "UNABLE_TO_LOCK_ROW", Busy),
    Meaning(None, "SERVER_UNAVAILABLE", Busy),
    Meaning(None, "QUERY_TIMEOUT", QueryTimedOut),
    Meaning(None, "REQUEST_RUNNING_TOO_LONG", Busy),
    Meaning(None, "API_CURRENTLY_DISABLED", Busy),
    Meaning(None, "InternalServerError", Busy),  # of a Bulk job
    # end, and go on in the next run
    Meaning(None, "REQUEST_LIMIT_EXCEEDED", QuotaExhausted, _LIMIT),
    Meaning(None, "INVALID_QUERY_LOCATOR", UnexpectedAnswer, "the next run continues from the last page"),
    # a person has to change something
    Meaning(None, "API_DISABLED_FOR_ORG", PermissionMissing, "this edition of Salesforce has no API access"),
    Meaning(None, "FUNCTIONALITY_NOT_ENABLED", PermissionMissing, "the org does not have this feature"),
    Meaning(None, "INSUFFICIENT_ACCESS", PermissionMissing, _RIGHTS),
    Meaning(410, ANY, Fix, _VERSION),
    Meaning(None, "UNSUPPORTED_API_VERSION", Fix, _VERSION),
    # the request does not fit the org
    Meaning(None, "INVALID_FIELD", RequestInvalid, _DRIFT),
    Meaning(None, "INVALID_TYPE", RequestInvalid, _DRIFT),
    Meaning(None, "MALFORMED_QUERY", RequestInvalid, _DRIFT),
    Meaning(None, "QUERY_TOO_COMPLICATED", RequestInvalid, "map fewer formula fields"),
    Meaning(None, "JSON_PARSER_ERROR", RequestInvalid),
    Meaning(None, "EXCEEDED_ID_LIMIT", RequestInvalid, "run: pipelint pull --full"),
    Meaning(None, "INVALID_REPLICATION_DATE", RequestInvalid, "run: pipelint pull --full"),
    Meaning(None, "INVALIDENTITY", RequestInvalid, "the Bulk API does not serve this object"),
    Meaning(409, ANY, RequestInvalid, "a Bulk job belongs to another api_version; the next run begins a new one"),
    # not a record, since these travel in collections: an object or an address
    Meaning(404, ANY, PermissionMissing, _ABSENT),
    # one record: it is gone
    Meaning(None, "NOT_FOUND", RecordGone),
    Meaning(None, "ENTITY_IS_DELETED", RecordGone),
    Meaning(None, "INVALID_CROSS_REFERENCE_KEY", RecordGone),
    Meaning(None, "MALFORMED_ID", RecordGone),
    # one record: refused, and not retried
    Meaning(None, "FIELD_CUSTOM_VALIDATION_EXCEPTION", RecordRefused, _RULE),
    Meaning(None, "REQUIRED_FIELD_MISSING", RecordRefused),
    Meaning(None, "INVALID_FIELD_FOR_INSERT_UPDATE", RecordRefused, _SETUP),
    Meaning(None, "INSUFFICIENT_ACCESS_OR_READONLY", RecordRefused, _RIGHTS),
    Meaning(None, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", RecordRefused),
    Meaning(None, "FIELD_INTEGRITY_EXCEPTION", RecordRefused),
    Meaning(None, "STRING_TOO_LONG", RecordRefused),
    Meaning(None, "NUMBER_OUTSIDE_VALID_RANGE", RecordRefused),
    Meaning(None, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", RecordRefused, _SETUP),
    Meaning(None, "INVALID_TYPE_ON_FIELD_IN_RECORD", RecordRefused),
    Meaning(None, "INACTIVE_OWNER_OR_USER", RecordRefused),
    Meaning(None, "ENTITY_IS_LOCKED", RecordRefused, "an approval or a closed period locks the record"),
    Meaning(None, "CANNOT_UPDATE_CONVERTED_LEAD", RecordRefused),
    Meaning(None, "DUPLICATE_VALUE", RecordRefused),
    Meaning(None, "DUPLICATE_DEVELOPER_NAME", RecordRefused),
    Meaning(None, "DUPLICATES_DETECTED", RecordRefused),
    Meaning(None, "CANNOT_EXECUTE_FLOW_TRIGGER", RecordRefused, _CODE),
    Meaning(None, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", RecordRefused, _CODE),
    # what is left goes by status
    Meaning(403, ANY, PermissionMissing, _RIGHTS),
    Meaning(429, ANY, Busy),  # of a proxy: Salesforce has a code of its own
    Meaning(500, ANY, Busy),
    Meaning(502, ANY, Busy),
    Meaning(503, ANY, Busy),
    Meaning(504, ANY, Busy),
    Meaning(None, ANY, UnexpectedAnswer),
)  # fmt: skip


def meaning(status: int | None, code: str, message: str) -> Meaning:
    """The line of the table for a refusal; `status` is None where one record of several was refused."""
    return next(
        line
        for line in MEANINGS
        if line.status in {None, status} and line.code in {ANY, code} and line.words in message.casefold()
    )


def translated(
    name: str, status: int, content_type: str, body: bytes, headers: Mapping[str, str]
) -> PipelintError:
    """The error of ours for an answer with an error status; pages that are not JSON are never quoted."""
    try:
        code, message = _details(content_type, body)
    except ValueError:
        if status < 500 and status != 429:
            return AnswerLost(f"Salesforce's refusal of {name} (HTTP {status}) is cut short")
        code = message = ""
    return _error(
        meaning(status, code, message), name, code, message, f"HTTP {status}", _retry_after(headers)
    )


def of_record(name: str, code: str, message: str) -> PipelintError:
    """The error of ours for what was refused without a status of its own, such as a Bulk job."""
    return _error(meaning(None, code, message), name, code, message, "no reason given", None)


def _error(
    line: Meaning, name: str, code: str, message: str, otherwise: str, after: float | None
) -> PipelintError:
    said = f"{code}: {message}" if code and message else code or otherwise
    text = f"Salesforce refuses {name} ({said})"
    if issubclass(line.raises, Busy | SessionExpired):
        return line.raises(text, hint=line.hint, after=after)
    if issubclass(line.raises, RecordRefused | RequestInvalid):
        return line.raises(text, code=code, hint=line.hint)
    return line.raises(text, hint=line.hint)


def _details(content_type: str, body: bytes) -> tuple[str, str]:
    """Code and message; an array in the data APIs, an object at the token endpoint (fact sheet §1)."""
    if "json" not in content_type:
        return "", ""
    answer: Any = json.loads(body)
    first = answer[0] if isinstance(answer, list) and answer else answer
    if not isinstance(first, dict):
        return "", ""
    code = first.get("errorCode") or first.get("error") or ""
    return str(code), brief(str(first.get("message") or first.get("error_description") or ""))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks for; Salesforce rarely says, and dates are not worth reading here."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
