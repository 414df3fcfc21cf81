"""What Pipedrive answers when it refuses: v2 and v1 differ, and the gateway before both has bodies of its own."""

from __future__ import annotations

import json

from werkzeug.wrappers import Response

BLOCKED = (
    "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    "<body><h1>Sorry, you have been blocked</h1><p>You are unable to access pipedrive.com</p></body></html>"
)
"""What hammering on after 429 ends in."""

_INFO = "Please check developers.pipedrive.com for more information about Pipedrive API."


class PipedriveError(ValueError):
    """A refusal; `code` is the word that v2 adds, `headers` come with it."""

    def __init__(
        self, status: int, error: str, code: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {error}")
        self.status = status
        self.error = error
        self.code = code
        self.headers = headers or {}

    def response(self, *, v2: bool) -> Response:
        body: dict[str, object] = {"success": False, "error": self.error}
        if self.status in {401, 403, 429} and not self.code:
            body |= {"errorCode": self.status, "error_info": _INFO}
        elif v2:
            body |= {"code": self.code or "ERR_BAD_REQUEST"}
        else:
            body |= {"error_info": _INFO, "data": None, "additional_data": None}
        return Response(
            json.dumps(body), self.status, headers=self.headers, content_type="application/json;charset=UTF-8"
        )


def invalid(*problems: str) -> PipedriveError:
    """A request that says something v2 does not understand; each problem reads `where: what`."""
    return PipedriveError(400, f"Validation failed: {'; '.join(problems)}", "ERR_SCHEMA_VALIDATION_FAILED")


def not_found(label: str) -> PipedriveError:
    """There is no such record, or it may not be seen."""
    return PipedriveError(404, f"{label} not found", "ERR_NOT_FOUND")


def unauthorized() -> PipedriveError:
    """Refused by the gateway, which says so in a header."""
    return PipedriveError(401, "unauthorized access", headers={"x-401-by-gw": "true"})


def over_burst(limit: int) -> PipedriveError:
    """Too many requests of one token within two seconds."""
    headers = {"x-ratelimit-limit": str(limit), "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}
    return PipedriveError(429, "request over limit", headers={**headers, "Retry-After": "2"})


def over_budget(budget: int) -> PipedriveError:
    """The day is over; `Retry-After` is there and means nothing."""
    headers = {"x-daily-ratelimit-token-limit": str(budget), "x-daily-ratelimit-token-remaining": "0"}
    return PipedriveError(429, "daily request limit exceeded", headers={**headers, "Retry-After": "3"})


SCOPE_MISMATCH = PipedriveError(403, "Scope and URL mismatch")

_SCRIPTED = {
    "UNAUTHORIZED": unauthorized(),
    "PAYMENT_REQUIRED": PipedriveError(402, "Company account is not open"),
    "FORBIDDEN": PipedriveError(403, "You do not have permission to do that"),
    "SCOPE_MISMATCH": SCOPE_MISMATCH,
    "FEATURE_CAPPING": PipedriveError(
        403, "Feature limit reached", "feature_capping_deals_custom_fields_limit"
    ),
    "NOT_FOUND": not_found("Deal"),
    "OVER_BURST": over_burst(20),
    "OVER_BUDGET": over_budget(30_000),
    "INTERNAL": PipedriveError(500, "Internal Server Error"),
    "BAD_GATEWAY": PipedriveError(502, "Bad Gateway"),
    "UNAVAILABLE": PipedriveError(503, "Service Unavailable"),
}


def native_error(code: str, message: str, status: int) -> Response:
    """A scripted error by name: one of those above, or BLOCKED, NOT_SUCCESS and NULL, which are none in form.

    Raises:
        ValueError: there is no such name, and no `status` to make one of.
    """
    match code:
        case "BLOCKED":
            return Response(BLOCKED, 403, content_type="text/html; charset=UTF-8")
        case "NOT_SUCCESS":
            body = {"success": False, "error": message or "Something went wrong", "data": None}
            return Response(json.dumps(body), 200, content_type="application/json;charset=UTF-8")
        case "NULL":
            return Response("null", 200, content_type="application/json;charset=UTF-8")
    known = _SCRIPTED.get(code)
    if known is None and not status:
        raise ValueError(f"unknown error {code}; one of {', '.join(_SCRIPTED)}, BLOCKED, NOT_SUCCESS, NULL")
    error = PipedriveError(
        status or (known.status if known else 400),
        message or (known.error if known else code),
        known.code if known else code,
        known.headers if known else {},
    )
    return error.response(v2=True)
