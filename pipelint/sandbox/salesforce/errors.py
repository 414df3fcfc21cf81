"""What Salesforce answers when it refuses: code, HTTP status and text (fact sheet §10)."""

from __future__ import annotations

from collections.abc import Sequence

_STATUS = {
    "INVALID_SESSION_ID": 401,
    "REQUEST_LIMIT_EXCEEDED": 403,
    "INSUFFICIENT_ACCESS_OR_READONLY": 403,
    "INSUFFICIENT_ACCESS": 403,
    "FUNCTIONALITY_NOT_ENABLED": 403,
    "API_CURRENTLY_DISABLED": 403,
    "API_DISABLED_FOR_ORG": 403,
    "NOT_FOUND": 404,
    "ENTITY_IS_DELETED": 404,
    "METHOD_NOT_ALLOWED": 405,
    "GONE": 410,
    "UNSUPPORTED_API_VERSION": 410,
    "UNKNOWN_EXCEPTION": 500,
    "SERVER_UNAVAILABLE": 503,
}

_TEXT = {
    "INVALID_SESSION_ID": "Session expired or invalid",
    "REQUEST_LIMIT_EXCEEDED": "TotalRequests Limit exceeded.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "insufficient access rights on object id",
    "NOT_FOUND": "The requested resource does not exist",
    "ENTITY_IS_DELETED": "entity is deleted",
    "ENTITY_IS_LOCKED": "the entity is locked for editing",
    "UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record or 1 records",
    "SERVER_UNAVAILABLE": "Server is temporarily unavailable, please retry later",
    "UNKNOWN_EXCEPTION": "An unexpected error occurred. Please include this ErrorId if you contact support",
    "QUERY_TIMEOUT": "Your query request was running for too long.",
    "INVALID_CROSS_REFERENCE_KEY": "invalid cross reference id",
    "API_CURRENTLY_DISABLED": "API is currently disabled for this user",
    "API_DISABLED_FOR_ORG": "API is not enabled for this Organization or Partner",
}


class SalesforceError(Exception):
    """A refusal with its native code; `status` counts where it ends the whole request."""

    def __init__(
        self, code: str, message: str = "", fields: Sequence[str] = (), *, status: int | None = None
    ) -> None:
        self.code = code
        self.message = message or _TEXT.get(code, code)
        self.fields = list(fields)
        self.status = status or _STATUS.get(code, 400)
        super().__init__(f"{code}: {self.message}")

    def body(self) -> list[dict[str, object]]:
        """The body of a single call; the key is `errorCode` here, but `statusCode` in collections."""
        entry: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.fields:
            entry["fields"] = self.fields
        return [entry]

    def row(self) -> dict[str, object]:
        """One entry of `errors` in the outcome of a record within a larger request."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


class OAuthError(Exception):
    """A refusal of the token endpoint: an object, not an array (fact sheet §1)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


def no_such_column(field: str, sobject: str) -> SalesforceError:
    """The whole-request refusal of a write to a field that does not exist or may not be seen."""
    return SalesforceError("INVALID_FIELD", f"No such column '{field}' on sobject of type {sobject}")
