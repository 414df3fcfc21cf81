"""The pages of the CRMs' error codes, made of the connectors' own tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final, NamedTuple

from docs.generator.markdown import code, page, sentence, table
from pipelint.connectors.hubspot import refusal as hubspot
from pipelint.connectors.pipedrive import refusal as pipedrive
from pipelint.connectors.salesforce import refusal as salesforce
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
    SessionExpired: "signs in again, once, unless the token is a fixed one",
    Retry: "tries again, later each time, for five minutes at most",
    RecordGone: "drops the record from the cache",
    RecordRefused: "reports the record, and goes on with the others",
    SignInRefused: "stops: somebody must mend the sign-in",
    Fix: "stops: somebody must change something",
    hubspot.RequestInvalid: "reports the record, and goes on with the others; ends a pull",
    Stop: "ends the pull or the write; the next run goes on",
}
"""What follows, by the kind of error; the first that fits."""


class Line(NamedTuple):
    """A line of a page; `sign` is what tells it apart where the status and the code do not."""

    status: int | None
    code: str
    sign: str
    raises: type[PipelintError]
    hint: str


def salesforce_page() -> str:
    """What Salesforce answers."""
    lines = [Line(it.status, it.code, _word(it.words), it.raises, it.hint) for it in salesforce.MEANINGS]
    return page(
        "Salesforce's error codes",
        _introduction("Salesforce", "salesforce.md"),
        _table(lines),
        "What to look at when a sign-in is refused, by `flow`:",
        table(("flow", "look at"), ((code(flow), sentence(hint)) for flow, hint in HINTS.items())),
    )


def hubspot_page() -> str:
    """What HubSpot answers."""
    lines = [Line(it.status, it.category, "", it.raises, it.hint) for it in hubspot.MEANINGS]
    waits = [*((429, name, seconds) for name, seconds in hubspot.WAITS.items()), (423, "", hubspot.LOCKED)]
    return page(
        "HubSpot's error codes",
        _introduction("HubSpot", "hubspot.md"),
        "A code is a category, the code of a value, or the policy of a limit. Where a batch is refused over one value, "
        "HubSpot names the property and not the record: pipelint halves the batch until the record stands alone.",
        _table(lines),
        "How long pipelint waits at least before it tries again, where the answer has no `Retry-After`:",
        table(
            ("status", "code", "seconds"),
            ((str(status), code(name) if name else "", f"{seconds:.0f}") for status, name, seconds in waits),
        ),
    )


def pipedrive_page() -> str:
    """What Pipedrive answers."""
    lines = [
        Line(403, "", "a page that is not JSON", pipedrive.BLOCKED.raises, pipedrive.BLOCKED.hint),
        Line(429, "", "none of the day's tokens left", pipedrive.SPENT.raises, pipedrive.SPENT.hint),
        *(Line(it.status, "", _word(it.words), it.raises, it.hint) for it in pipedrive.MEANINGS),
    ]
    return page("Pipedrive's error codes", _introduction("Pipedrive", "pipedrive.md"), _table(lines))


def _introduction(crm: str, guide: str) -> str:
    return (
        f"What {crm} may answer, and what pipelint does about it. The first line that fits an answer counts. "
        f"How to mend what is common is said in [{crm}]({guide}#when-something-is-refused)."
    )


def _table(lines: Iterable[Line]) -> str:
    return table(("status", "code or words", "pipelint", "what to do"), _rows(lines))


def _rows(lines: Iterable[Line]) -> Iterator[tuple[str, str, str, str]]:
    """Neighbours that differ in the code alone, or in the status alone, are one row."""
    by_code = [list(same) for _, same in groupby(lines, lambda line: line._replace(code=""))]
    named = [(some[0], [line.code for line in some]) for some in by_code]
    for _, same in groupby(named, lambda one: (one[0]._replace(status=None), one[1])):
        found = list(same)
        line, codes = found[0]
        statuses = _listed([one.status for one, _ in found if one.status is not None])
        does = next(text for kind, text in DOES.items() if issubclass(line.raises, kind))
        yield statuses or "any", _told(codes, line.sign), does, sentence(line.hint)


def _told(codes: list[str], sign: str) -> str:
    if codes == [""] and sign:
        return sign
    listed = ", ".join(code(one) if one else "any other" for one in codes)
    return f"{listed} with {sign}" if sign else listed


def _word(words: str) -> str:
    return f"the word *{words}*" if words else ""


def _listed(statuses: list[int]) -> str:
    """Statuses with runs of neighbours drawn together."""
    runs = [[one for _, one in run] for _, run in groupby(enumerate(statuses), lambda at: at[1] - at[0])]
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


REFUSALS: Final[Mapping[str, Callable[[], str]]] = {
    "salesforce-errors.md": salesforce_page,
    "hubspot-errors.md": hubspot_page,
    "pipedrive-errors.md": pipedrive_page,
}
"""The pages by their file names."""
