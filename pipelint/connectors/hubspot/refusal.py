"""What a HubSpot refusal means: one table from status and category to what the caller does next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pipelint.connectors.answers import brief
from pipelint.connectors.http import AnswerLost
from pipelint.errors import (
    Busy,
    Fix,
    PermissionMissing,
    PipelintError,
    QuotaExhausted,
    SessionExpired,
    SignInRefused,
    UnexpectedAnswer,
)

ANY: Final = ""
PAGE: Final = "a page that is not JSON"
"""Said by something else than HubSpot's API, so it tells nothing of rights."""


class RequestInvalid(UnexpectedAnswer):
    """A whole request failed over its content, perhaps over a single value of one record in it.

    `reason` are HubSpot's own words alone, for those who know what was asked.
    """

    def __init__(
        self, message: str, *, code: str, reason: str = "", fields: tuple[str, ...] = (), hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.reason = reason or message
        self.fields = fields


class RecordLocked(Busy):
    """Somebody else is writing a record, perhaps one of many in the request."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One line of the table: the first whose status and category fit is it; None is any status."""

    status: int | None
    category: str
    raises: type[PipelintError]
    hint: str = ""


_SERVICE_KEY = "make a new service key (Settings > Integrations > Service keys) and set it"
APP: Final = "check client_id, client_secret and refresh_token; install the app again if it was removed"
_SCOPE = "add the scopes to the service key or app"
_SETUP = "run: pipelint setup --apply"
_LATER = "the allowance comes back at midnight of the account's time zone; the next run continues"

MEANINGS: Final[tuple[Meaning, ...]] = (
    # the token endpoint (fact sheet §2)
    *(
        Meaning(None, code, SignInRefused, APP)
        for code in (
            "BAD_REFRESH_TOKEN", "BAD_CLIENT_ID", "BAD_CLIENT_SECRET", "BAD_AUTH_CODE",
            "BAD_REDIRECT_URI", "BAD_GRANT_TYPE",
        )
    ),
    # an app signs in again, once; a service key does not end by itself
    Meaning(401, ANY, SessionExpired, _SERVICE_KEY),
    # a person has to change something
    Meaning(403, PAGE, UnexpectedAnswer, "see what stands between this computer and HubSpot: a proxy, a firewall"),
    Meaning(403, "MISSING_SCOPES", PermissionMissing, _SCOPE),
    Meaning(403, ANY, PermissionMissing, _SCOPE),
    Meaning(410, ANY, Fix, "set read_version and write_version to ones that HubSpot still serves"),
    # end, and go on in the next run
    Meaning(429, "DAILY", QuotaExhausted, _LATER),
    # later
    Meaning(429, ANY, Busy),
    Meaning(423, ANY, RecordLocked),
    Meaning(477, ANY, Busy, "HubSpot is moving the account to another data centre: wait"),
    *(Meaning(status, ANY, Busy) for status in (500, 502, 503, 504, *range(520, 530))),
    # one record, or what a request says
    Meaning(404, ANY, RequestInvalid, "see whether base_url, read_version and write_version are right"),
    Meaning(400, "PROPERTY_DOESNT_EXIST", RequestInvalid, _SETUP),
    Meaning(400, "INVALID_OPTION", RequestInvalid, _SETUP),
    Meaning(400, "READ_ONLY_VALUE", RequestInvalid, "let it be edited, in Settings > Properties"),
    Meaning(400, "FAILED_VALIDATION_RULE", RequestInvalid, "remove the rule, in Settings > Properties"),
    Meaning(400, "REQUIRED_PROPERTY", RequestInvalid, "fill it in, or leave write_version out of pipelint.yaml"),
    Meaning(409, ANY, RequestInvalid),
    Meaning(414, ANY, RequestInvalid, "map fewer fields: their names travel in the address"),
    Meaning(400, ANY, RequestInvalid),
    Meaning(None, ANY, UnexpectedAnswer),
)  # fmt: skip

PASSING: Final = frozenset({"INTERNAL_ERROR", "LOCKED", "RATE_LIMIT", "RATE_LIMITS", "SERVER_ERROR"})
"""Categories of what may work another time, where one record of a batch got them."""

WAITS: Final[Mapping[str, float]] = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0}
"""Seconds until a limit has passed: HubSpot names none (fact sheet §12)."""

LOCKED: Final = 2.0
"""Seconds to let a record alone that somebody else is writing."""


LONG: Final = 120.0
"""Seconds from which on a wait is worth telling: moving an account takes hours (fact sheet §12)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The parts of an error body that matter; every one of them may be missing (fact sheet §12)."""

    category: str = ""
    message: str = ""
    policy: str = ""
    code: str = ""
    fields: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    reference: str = field(default="", compare=False)


_PAGE: Final = Refusal(policy=PAGE)


def meaning(status: int, refusal: Refusal) -> Meaning:
    """The line of the table for a refusal."""
    names = {ANY, refusal.category, refusal.policy, refusal.code}
    return next(line for line in MEANINGS if line.status in {None, status} and line.category in names)


def cure(code: str) -> str:
    """What to do about a value that was refused, where that is known."""
    return next((line.hint for line in MEANINGS if line.category == code), "")


def translated(name: str, status: int, body: bytes, headers: Mapping[str, str]) -> PipelintError:
    """The error of ours for an answer with an error status; pages that are not JSON are never quoted."""
    content_type = next((v for k, v in headers.items() if k.lower() == "content-type"), "")
    try:
        refusal = read(body) if "json" in content_type else _PAGE
    except ValueError:
        if status < 500 and status != 429:
            return AnswerLost(f"HubSpot's refusal of {name} (HTTP {status}) is cut short")
        refusal = Refusal()
    line = meaning(status, refusal)
    code = "" if refusal is _PAGE else refusal.code or refusal.category or refusal.policy
    said = ": ".join(part for part in (code, refusal.message) if part) or f"HTTP {status}"
    reference = f"; its reference {refusal.reference}" if refusal.reference else ""
    text = f"HubSpot refuses {name} ({said}{reference})"
    if issubclass(line.raises, Busy | SessionExpired):
        after = _wait(status, refusal, headers)
        asked = f"; it asks to come back in {after / 60:,.0f} min" if after and after >= LONG else ""
        return line.raises(text + asked, hint=line.hint, after=after)
    if issubclass(line.raises, RequestInvalid):
        return line.raises(
            text, code=code or str(status), reason=refusal.message, fields=refusal.fields, hint=line.hint
        )
    hint = f"{line.hint}: {', '.join(refusal.scopes)}" if refusal.scopes else line.hint
    return line.raises(text, hint=hint)


def read(body: bytes) -> Refusal:
    """What an error body says.

    Raises:
        ValueError: it is not JSON.
    """
    answer: Any = json.loads(body)
    if not isinstance(answer, dict):
        return Refusal()
    errors = [one for one in answer.get("errors") or [] if isinstance(one, dict)]
    contexts = [one.get("context") or {} for one in errors] + [answer.get("context") or {}]
    first = errors[0] if errors else {}
    # The message of an error about values repeats the errors as JSON: theirs are for people.
    message = first.get("message") or answer.get("message") or answer.get("error_description") or ""
    status = answer.get("status")
    category = (
        answer.get("category")
        or answer.get("errorType")
        or (status if status != "error" else "")
        or answer.get("error")
        or ""
    )
    return Refusal(
        category=str(category),
        message=brief(str(message)),
        policy=str(answer.get("policyName") or ("SECONDLY" if "secondly limit" in str(message) else "")),
        code=str(first.get("code") or ""),
        fields=_all(contexts, "propertyName"),
        scopes=_all(contexts, "requiredGranularScopes") or _all(contexts, "requiredScopes"),
        reference=str(answer.get("correlationId") or ""),
    )


def _all(contexts: list[dict[str, Any]], key: str) -> tuple[str, ...]:
    found = [value for context in contexts for value in _listed(context.get(key))]
    return tuple(dict.fromkeys(map(str, found)))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _wait(status: int, refusal: Refusal, headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: what the answer says, else what its policy means."""
    said = next((value for key, value in headers.items() if key.lower() == "retry-after"), "")
    if said.isdigit():
        return float(said)
    if status == 423:
        return LOCKED
    return WAITS.get(refusal.policy) if status == 429 else None
