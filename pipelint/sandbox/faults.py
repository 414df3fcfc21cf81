"""Scripted faults: what goes wrong, on which request or record, from which time on and how often."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Self

EFFECTS = {
    "respond": "answer with `status`, `body` and `content_type`, without doing the work",
    "html": "answer with an HTML error page and `status` (503)",
    "malformed": "do the work, answer with JSON that breaks off in the middle",
    "truncate": "do the work, announce the whole body, send half of it and hang up",
    "drop": "hang up before doing the work",
    "drop_after": "do the work, then hang up without an answer",
    "delay": "wait `seconds`, then go on as usual",
    "late": "do the work, wait `seconds`, then answer",
    "error": "answer with the CRM's own error `code`; with `record`, refuse only that record",
}


@dataclass(slots=True)
class Fault:
    """One scripted fault.

    `path` is a regular expression, searched in path and query. The fault strikes from the `nth` request on
    that matches, `times` times (0: for ever). With `record` it strikes when that record is written instead, and
    with both `record` and `path` when a batch under that path asks for the record.
    `retry_after` is a header of the answer: so many seconds to wait.
    """

    effect: str
    method: str = ""
    path: str = ""
    record: str = ""
    nth: int = 1
    times: int = 1
    code: str = ""
    message: str = ""
    status: int = 0
    body: str = ""
    content_type: str = "application/json"
    seconds: float = 0.0
    retry_after: int = 0
    seen: int = 0

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise ValueError(f"unknown effect {self.effect!r}; one of {', '.join(EFFECTS)}")
        if self.effect == "error" and not self.code:
            raise ValueError("the effect 'error' needs a code")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path is not a regular expression: {error}") from None

    @classmethod
    def from_json(cls, document: object) -> Self:
        """A fault from a JSON object with the names of these attributes."""
        known = {it.name for it in fields(cls)} - {"seen"}
        if not isinstance(document, dict) or not set(document) <= known or "effect" not in document:
            raise ValueError(
                f"a fault is an object with effect and any of {', '.join(sorted(known - {'effect'}))}"
            )
        return cls(**document)

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    def concerns(self, record_id: str) -> bool:
        """Whether it is scripted for this record; ids of Salesforce come with 15 or 18 characters."""
        return bool(self.record) and self.record[:15] == record_id[:15]

    def strikes(self) -> bool:
        """Count one match, and tell whether the fault happens this time."""
        self.seen += 1
        return self.seen >= self.nth and (not self.times or self.seen < self.nth + self.times)


class Faults:
    """The script, tried from top to bottom; at most one fault strikes a request, or a record."""

    def __init__(self) -> None:
        self._script: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, effect: str, **details: str | float) -> Fault:
        """Add a fault: an effect, or a CRM error code in capitals as short for `error` with that code."""
        return self.add_json({**details, "effect": effect})

    def add_json(self, document: object) -> Fault:
        """Add a fault that came as JSON."""
        match document:
            case {"effect": str(code), **details} if code.isupper():
                fault = Fault.from_json({**details, "effect": "error", "code": code})
            case _:
                fault = Fault.from_json(document)
        with self._lock:
            self._script.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._script.clear()

    def script(self) -> list[dict[str, object]]:
        with self._lock:
            return [it.as_json() for it in self._script]

    def for_request(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request."""
        return self._first(
            it
            for it in self._script
            if not it.record and it.method.upper() in {"", method} and re.search(it.path, path)
        )

    def for_record(self, record_id: str) -> Fault | None:
        """The fault that strikes the writing of this record."""
        return self._first(it for it in self._script if not it.path and it.concerns(record_id))

    def for_answer(self, path: str, record_id: str) -> Fault | None:
        """The fault that strikes this record alone in the answer to a batch that reads."""
        return self._first(
            it for it in self._script if it.path and it.concerns(record_id) and re.search(it.path, path)
        )

    def _first(self, candidates: Iterable[Fault]) -> Fault | None:
        with self._lock:
            return next((it for it in candidates if it.strikes()), None)
