"""The page of Salesforce's error codes, made of the connector's own table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from docs.generator.markdown import code, page, sentence, table
from pipelint.connectors.salesforce.refusal import ANY, MEANINGS, Meaning
from pipelint.connectors.salesforce.signin import HINTS
from pipelint.errors import (
    Fix,
    PipelintError,
    RecordGone,
    RecordRefused,
    Retry,
    SessionExpired,
    SignInRefused,
    Stop,
)

DOES: Final[Mapping[type[PipelintError], str]] = {
    SessionExpired: "signs in again, once",
    Retry: "tries again, later each time, for five minutes at most",
    RecordGone: "drops the record from the cache",
    RecordRefused: "reports the record, and goes on with the others",
    SignInRefused: "stops: somebody must mend the sign-in",
    Fix: "stops: somebody must change something",
    Stop: "ends the pull or the write; the next run goes on",
}
"""What follows, by the kind of error; the first that fits."""


def refusals_page() -> str:
    """The page."""
    return page(
        "Salesforce's error codes",
        "What Salesforce may answer, and what pipelint does about it. The first line that fits an answer counts. "
        "How to mend what is common is said in [Salesforce](salesforce.md#when-something-is-refused).",
        table(("status", "code", "pipelint", "what to do"), map(_row, MEANINGS)),
        "What to look at when a sign-in is refused, by `flow`:",
        table(("flow", "look at"), _flows()),
    )


def _row(line: Meaning) -> tuple[str, str, str, str]:
    does = next(text for kind, text in DOES.items() if issubclass(line.raises, kind))
    named = code(line.code) if line.code != ANY else "any other"
    words = f" with the word *{line.words}*" if line.words else ""
    return str(line.status or ""), named + words, does, sentence(line.hint)


def _flows() -> Iterator[tuple[str, str]]:
    for flow, hint in HINTS.items():
        yield code(flow), sentence(hint)
