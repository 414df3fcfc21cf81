"""From findings to the values of our fields."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from pipelint.connectors.base import OwnField, OwnFieldType
from pipelint.engine.written import Part, values_of
from pipelint.rules.own_fields import OWN_FIELDS
from pipelint.rules.pack import SEVERITIES

FIELDS = [
    OwnField(key, "opportunity", key, own.label, OwnFieldType(own.form), own.help)
    for key, own in OWN_FIELDS.items()
]
DAY = date(2026, 11, 20)


def part(rule: str, severity: str = "error", title: str = "", since: date = DAY) -> Part:
    return Part(rule, title or f"Title of {rule}", severity, f"{rule} is true.", "Mend it.", since)  # type: ignore[arg-type]


def test_nothing_flagged_is_clean() -> None:
    assert values_of((), FIELDS, 5) == {
        "flags": (),
        "severity": "clean",
        "summary": "",
        "details": "",
        "hygiene": 100,
        "flagged_since": None,
    }


def test_summary_is_cut_with_the_number_of_the_rest() -> None:
    parts = [part(f"rule-{n}", title="x" * 100) for n in range(5)]
    summary = values_of(parts, FIELDS, 5)["summary"]
    assert summary == f"{'x' * 100}; {'x' * 100}; +3 more"


def test_one_title_too_long_is_cut_itself() -> None:
    summary = values_of([part("a", title="x" * 400)], FIELDS, 5)["summary"]
    assert summary == "x" * 254 + "…"


def test_details_show_the_worst_and_name_the_others() -> None:
    parts = [part("a"), part("b", "warning"), part("c", "info"), part("d", "info")]
    details = values_of(parts, FIELDS, 2)["details"]
    assert details == "a (error): a is true.\nMend it.\n\nb (warning): b is true.\nMend it.\n\n+2 more: c, d"


def test_flags_that_do_not_fit_into_the_details_are_named_too() -> None:
    parts = [part("a"), part("b" * 200, "warning"), part("c", "info")]
    details = values_of(parts, FIELDS, 2)["details"]
    assert details == f"a (error): a is true.\nMend it.\n\n+2 more: {'b' * 200}, c"


@given(st.lists(st.tuples(st.sampled_from(SEVERITIES), st.text(max_size=300), st.dates()), max_size=12))
def test_values_keep_their_bounds(drawn: list[tuple[str, str, date]]) -> None:
    parts = [part(f"r{n}", severity, title or "t", day) for n, (severity, title, day) in enumerate(drawn)]
    values = values_of(parts, FIELDS, 3)
    assert len(str(values["summary"])) <= 255
    assert len(str(values["details"])) <= 255
    assert 0 <= int(str(values["hygiene"])) <= 100
    assert values["flags"] == tuple(sorted(p.rule for p in parts))
    assert values["flagged_since"] == min((day for _, _, day in drawn), default=None)
