"""The result of `rules test`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipelint.engine.rule_tests import Failure, Report
from pipelint.engine.tested import PackResult
from pipelint.render.documents import as_text
from pipelint.render.table import plural
from pipelint.rules.pack import Rule

_RED, _GREEN, _DIM = "31", "32", "2"


def render(found: Sequence[PackResult], form: str, *, color: bool) -> str:
    """What failed, and which rules no test flags or leaves clean."""
    if form == "json":
        return as_text(document(found))
    if form == "github":
        return "\n".join(line for each in found for line in _github(each.report))
    return "\n\n".join(_text(each, color) for each in found)


def document(found: Sequence[PackResult]) -> dict[str, Any]:
    """`pipelint.tests/1`."""
    return {
        "schema": "pipelint.tests/1",
        "packs": [
            {
                "pack": each.title,
                "tests": each.report.tests,
                "failures": [_failure(failure) for failure in each.report.failures],
                "never_flagged": [rule.name for rule in each.report.never_flagged],
                "never_clean": [rule.name for rule in each.report.never_clean],
            }
            for each in found
        ],
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "test": failure.test,
        "record": failure.record,
        "file": failure.place.file,
        "line": failure.place.line,
        "column": failure.place.column,
        "expected": failure.expected,
        "came": failure.came,
        "decided": [{"field": d.field, "value": d.value, "test": d.test} for d in failure.decided],
    }


def _github(report: Report) -> Iterator[str]:
    for failure in report.failures:
        said = f"{_named(failure)}: expected {failure.expected}, but {failure.came}"
        told = said.replace("%", "%25").replace("\n", "%0A")
        place = failure.place
        yield f"::error file={place.file},line={place.line},col={place.column}::{told}"


def _text(tested: PackResult, color: bool) -> str:
    report = tested.report
    parts = ["\n".join(_lines(failure, color)) for failure in report.failures]
    dark = [
        *_dark("No test flags", report.never_flagged),
        *_dark("No test leaves clean", report.never_clean),
    ]
    if dark:
        parts.append("\n".join(dark))
    failed = len({failure.test for failure in report.failures})
    count = plural(report.tests, "test")
    if report.tests == 0:
        said = "there are no tests; add a section 'tests:' to a rule file"
    elif failed:
        said = _painted(f"{failed} of {count} failed", _RED, color)
    else:
        said = _painted(f"{count} passed", _GREEN, color)
    parts.append(f"{tested.title}: {said}.")
    return "\n\n".join(parts)


def _lines(failure: Failure, color: bool) -> Iterator[str]:
    yield _painted(f"{failure.place}: {_named(failure)}", _RED, color)
    yield f"  expected   {failure.expected}"
    yield f"  came       {failure.came}"
    width = max((len(each.field) for each in failure.decided), default=0)
    for each in failure.decided:
        yield f"    {each.field:<{width}}   {each.value}   {_painted(each.test, _DIM, color)}"


def _named(failure: Failure) -> str:
    return f"{failure.test} ({failure.record})" if failure.record else failure.test


def _dark(said: str, rules: Sequence[Rule]) -> Iterator[str]:
    if rules:
        yield f"{said}: {', '.join(rule.name for rule in rules)}"


def _painted(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
