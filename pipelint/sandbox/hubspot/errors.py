"""What HubSpot answers when it refuses: status, category and body (fact sheet §12)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_CATEGORY_OF_STATUS = {
    400: "VALIDATION_ERROR",
    401: "INVALID_AUTHENTICATION",
    403: "MISSING_SCOPES",
    404: "OBJECT_NOT_FOUND",
    405: "VALIDATION_ERROR",
    409: "CONFLICT",
    429: "RATE_LIMITS",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One entry of `errors`: what is wrong, with what the context names."""

    message: str
    code: str = ""
    context: Mapping[str, Sequence[str]] | None = None
    place: str = ""

    def as_json(self) -> dict[str, object]:
        entry: dict[str, object] = {"message": self.message}
        if self.place:
            entry["in"] = self.place
        if self.code:
            entry["code"] = self.code
        if self.context is not None:
            entry["context"] = {name: list(values) for name, values in self.context.items()}
        return entry


class HubSpotError(Exception):
    """A refusal that ends the whole request; `extra` are further members of the body.

    The category follows from the status unless it is given; the empty one is left out of the body.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        category: str | None = None,
        details: Sequence[Detail] = (),
        **extra: object,
    ) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        usual = _CATEGORY_OF_STATUS.get(status, "INTERNAL_ERROR")
        self.category = usual if category is None else category
        self.details = list(details)
        self.extra = extra

    def body(self) -> dict[str, object]:
        """The answer's body; each has a correlation id of its own."""
        body: dict[str, object] = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
            **self.extra,
        }
        if self.category:
            body["category"] = self.category
        if self.details:
            body["errors"] = [it.as_json() for it in self.details]
        return body


class RateLimited(HubSpotError):
    """A limit is used up; the search one names no policy, the others call their category `errorType`."""

    def __init__(self, policy: str) -> None:
        super().__init__(429, f"You have reached your {policy.lower()} limit.")
        self.policy = policy

    def body(self) -> dict[str, object]:
        body = super().body()
        if self.policy != "SECONDLY":
            body["errorType"] = "RATE_LIMIT"
            body["policyName"] = self.policy
            body["groupName"] = "publicapi:private-apps:sandbox"
            del body["category"]
        return body


class OAuthError(Exception):
    """A refusal of the token endpoint, with a status in words: `BAD_REFRESH_TOKEN` and its like."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Invalid(Exception):
    """A value that its property does not take."""

    def __init__(self, name: str, code: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.code = code
        self.message = message

    def detail(self) -> Detail:
        return Detail(self.message, self.code, {"propertyName": [self.name]})


def invalid_properties(problems: Sequence[Invalid]) -> HubSpotError:
    """The refusal of a write for its values: the message embeds them as JSON, `errors` lists them."""
    listed = [
        {
            "isValid": False,
            "message": it.message,
            "error": it.code,
            "name": it.name,
            "localizedErrorMessage": it.message,
        }
        for it in problems
    ]
    message = f"Property values were not valid: {json.dumps(listed, separators=(',', ':'))}"
    return HubSpotError(400, message, details=[it.detail() for it in problems])


def invalid_input(message: str, place: str = "") -> HubSpotError:
    """The refusal of a request that is malformed or beyond a limit of its endpoint."""
    return HubSpotError(
        400, f"Invalid input JSON: {message}" if place == "json" else message, details=[Detail(message)]
    )


def not_found() -> HubSpotError:
    """What is asked for does not exist, or is archived."""
    return HubSpotError(404, "resource not found")
