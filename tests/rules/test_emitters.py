"""The dialects agree: SQLite, the generated Python, and an interpreter that knows nothing of either."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelint.rules.emit import ROW_ID, python, sqlite
from pipelint.rules.ir import (
    FALSE,
    SEPARATOR,
    TRUE,
    UNKNOWN,
    Aggregate,
    And,
    Arithmetic,
    Case,
    Coalesce,
    Column,
    Compare,
    Concat,
    Constant,
    Expr,
    Greatest,
    In,
    IsNull,
    Least,
    Length,
    Not,
    Or,
    Position,
)
from tests.rules.expressions import (
    LIMIT,
    NUMBERS,
    TEXTS,
    TRUTHS,
    expressions,
    numbers,
    records,
    strings,
    truths,
    value_of,
)

COLUMNS = {
    **dict.fromkeys(NUMBERS, "INTEGER"),
    **dict.fromkeys(TEXTS, "TEXT"),
    **dict.fromkeys(TRUTHS, "INTEGER"),
    ROW_ID: "TEXT",
}
NAMES = [sqlite.expression(Column(name)) for name in COLUMNS]
ABSENT = dict.fromkeys(COLUMNS)

DATABASE = sqlite3.connect(":memory:")
DATABASE.execute(
    f"CREATE TABLE records ({', '.join(map(' '.join, zip(NAMES, COLUMNS.values(), strict=True)))})"
)


def in_sqlite(sql: str, rows: list[dict[str, Any]], more: str = "ORDER BY rowid") -> list[Any]:
    DATABASE.execute("DELETE FROM records")
    places = ", ".join("?" * len(COLUMNS))
    DATABASE.executemany(
        f"INSERT INTO records VALUES ({places})", [[row.get(c) for c in COLUMNS] for row in rows]
    )
    return [value for (value,) in DATABASE.execute(f"SELECT {sql} FROM records {more}")]


def everywhere(expr: Expr, **record: Any) -> Any:
    """The value of an expression, the same in both dialects."""
    (in_sql,) = in_sqlite(sqlite.expression(expr), [record])
    in_python = python.function(expr)(ABSENT | record)
    assert in_sql == in_python
    return in_python


def n(value: int | str | bool | None) -> Constant:
    return Constant(value)


@settings(max_examples=800, deadline=None)
@given(expressions, st.lists(records, min_size=1, max_size=5))
def test_every_dialect_gives_the_value_that_the_words_ask_for(expr: Expr, rows: list[dict[str, Any]]) -> None:
    expected = [value_of(expr, row) for row in rows]
    assert in_sqlite(sqlite.expression(expr), rows) == expected
    assert list(map(python.function(expr), rows)) == expected
    assert not any(isinstance(value, float) for value in in_sqlite(sqlite.expression(expr), rows))


@pytest.mark.parametrize(
    ("left", "right", "quotient"),
    [
        (7, 2, 4),
        (-7, 2, -4),
        (7, -2, -4),
        (-7, -2, 4),
        (5, 10, 1),
        (-5, 10, -1),
        (4, 10, 0),
        (1, 3, 0),
        (2, 3, 1),
        (6, 3, 2),
        (0, 5, 0),
        (5, 0, None),
        (None, 5, None),
        (5, None, None),
        (2**63 - 1, 2, 2**62),
        (2**63 - 1, 2**63 - 1, 1),
        (2**62, 2**63 - 1, 1),
        (2**62 - 1, 2**63 - 1, 0),
        (-(2**63), -(2**63), 1),
        (2**62, -(2**63), -1),
        (-(2**63), -1, None),
    ],
)
def test_division_rounds_half_up_away_from_zero(
    left: int | None, right: int | None, quotient: int | None
) -> None:
    assert everywhere(Arithmetic("//", Column("n"), Column("d")), n=left, d=right) == quotient


@pytest.mark.parametrize(
    "expr",
    [
        Arithmetic("*", Column("n"), n(10_000)),
        Arithmetic("-", Arithmetic("*", Column("n"), n(10_000)), n(1)),
        Arithmetic("//", Arithmetic("*", Column("n"), n(10_000)), n(10_000)),
        Arithmetic("+", Arithmetic("+", Arithmetic("+", n(2**62), n(2**62)), Column("n")), n(-(2**62))),
        Arithmetic("+", n(2**62), Case(((FALSE, n(0)), (TRUE, n(2**62))), n(0))),
        Arithmetic("+", n(2**62), Case(((FALSE, n(0)),), n(2**62))),
        Arithmetic("+", n(2**62), Coalesce((UNKNOWN, n(2**62)))),
        Arithmetic("-", n(2**62), Least((n(0), n(-(2**62))))),
        Arithmetic("+", n(2**62), Arithmetic("//", n(2**62), Column("d"))),
    ],
)
def test_a_number_beyond_64_bits_is_unknown(expr: Expr) -> None:
    assert everywhere(expr, n=LIMIT - 1, d=1) is None
    assert everywhere(Compare(">", expr, n(0)), n=LIMIT - 1, d=1) is None


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        (And(()), True),
        (Or(()), False),
        (And((FALSE, UNKNOWN)), False),
        (And((TRUE, UNKNOWN)), None),
        (Or((TRUE, UNKNOWN)), True),
        (Or((FALSE, UNKNOWN)), None),
        (Not(UNKNOWN), None),
        (IsNull(UNKNOWN), True),
        (In(n(1), ()), False),
        (In(UNKNOWN, ()), None),
        (In(UNKNOWN, (1,)), None),
        (Case((), n(5)), 5),
        (Case(((UNKNOWN, n(1)), (TRUE, n(2))), n(3)), 2),
        (Coalesce(()), None),
        (Coalesce((n(4),)), 4),
        (Least(()), None),
        (Least((n(4),)), 4),
        (Least((n(4), n(3), UNKNOWN)), None),
        (Greatest((n(4), n(3))), 4),
        (Concat(()), ""),
        (Concat((n("a"), UNKNOWN)), None),
        (Position(n("50% off"), n("%")), 3),
        (Position(n("half"), n("%")), 0),
        (Position(n("ÅÅa"), n("a")), 3),
        (Position(n("a"), n("")), 1),
        (Length(n("naïve 𝒳")), 7),
        (Compare("<", n("z"), n("é")), True),
        (Compare("=", n("a"), n("A")), False),
        (Compare("<", n("\uffff"), n("\U00010000")), True),
        (n('it\'s "quoted"'), 'it\'s "quoted"'),
        (n(-(2**63)), -(2**63)),
    ],
)
def test_borders(expr: Expr, value: Any) -> None:
    assert everywhere(expr) == value


def test_arithmetic_keeps_its_grouping() -> None:
    two_and_three = Arithmetic("+", n(2), n(3))
    assert everywhere(Arithmetic("*", two_and_three, n(4))) == 20
    assert everywhere(Arithmetic("*", n(4), two_and_three)) == 20
    assert everywhere(Arithmetic("-", n(4), two_and_three)) == -1
    assert everywhere(Arithmetic("-", two_and_three, n(-4))) == 9
    assert everywhere(Arithmetic("//", two_and_three, n(2))) == 3


def test_very_wide_and_very_long_rules_stay_within_the_limits_of_sqlite() -> None:
    many = [Compare("<>", Column("n"), n(i)) for i in range(5_000)]
    assert everywhere(And(tuple(many)), n=4_999) is False
    assert everywhere(Or(tuple(map(Not, many))), n=4_999) is True
    assert everywhere(Coalesce((*[Column("d")] * 500, n(1)))) == 1
    assert everywhere(Least(tuple(map(n, range(500))))) == 0
    assert everywhere(Greatest(tuple(map(n, range(501))))) == 500
    assert everywhere(Concat((n("ab"),) * 3_000)) == "ab" * 3_000
    assert everywhere(In(Column("n"), tuple(range(20_000))), n=19_999) is True
    assert everywhere(Length(n("é" * 300_000))) == 300_000

    total: Expr = Column("n")
    for points in range(500):
        total = Arithmetic("+", total, Case(((TRUE, n(points)),), n(0)))
    assert everywhere(total, n=0) == sum(range(500))


def test_a_division_by_a_sum_of_products_is_not_worked_out_again_and_again() -> None:
    nested: Expr = Column("n")
    for _ in range(5):
        nested = Arithmetic("//", nested, n(2))
    assert everywhere(nested, n=320) == 10
    assert sqlite.expression(nested).count('"n"') == 1


def test_the_generated_python_can_be_read() -> None:
    late = Compare("<", Column("close_date"), n(20777))
    rule = And((Compare("=", Column("stage_kind"), n("open")), late, Not(IsNull(Column("next_step")))))
    assert python.source(rule, "close_date_passed") == (
        "def close_date_passed(row):\n"
        "    return all_of(\n"
        "        compare(row['stage_kind'], '=', 'open'),\n"
        "        compare(row['close_date'], '<', 20777),\n"
        "        negation(is_null(row['next_step']))\n"
        "    )\n"
    )


def test_the_generated_sql_can_be_read() -> None:
    rule = Or((Compare("<", Column("close_date"), n(20777)), In(Column("own\"er's"), ("o'neil", "%_"))))
    assert sqlite.expression(rule) == """(("close_date" < 20777) OR ("own""er's" IN ('o''neil', '%_')))"""


ids = st.text(st.characters(min_codepoint=0x20, blacklist_categories=["Cs"]), min_size=1, max_size=3)
related = st.lists(st.tuples(records, ids), min_size=1, max_size=8, unique_by=lambda pair: pair[1]).map(
    lambda pairs: [record | {ROW_ID: id_} for record, id_ in pairs]
)
orders = st.sampled_from([UNKNOWN, Column("n"), Column("d"), n(0)])
functions = st.sampled_from(["count", "count_distinct", "sum", "min", "max", "last", "first"])


def aggregated(agg: Aggregate, rows: list[dict[str, Any]]) -> Any:
    """The aggregate, from the words of its definition."""
    found = [
        (value_of(agg.order, row), row[ROW_ID], value)
        for row in rows
        if value_of(agg.where, row) in (True, 1) and (value := value_of(agg.value, row)) is not None
    ]
    values = [value for _, _, value in found]
    timed = [row for row in found if row[0] is not None]
    match agg.function:
        case "count":
            return len(values)
        case "count_distinct":
            return len(set(values))
        case "sum":
            return sum(values) if -LIMIT <= sum(values) < LIMIT else None
        case "min" | "max":
            return (sorted(values) or [None])[0 if agg.function == "min" else -1]
        case "last" | "first":
            in_order = sorted(timed) or sorted(found, key=lambda row: row[1])
            return ([value for _, _, value in in_order] or [None])[0 if agg.function == "first" else -1]


@settings(max_examples=500, deadline=None)
@given(functions, st.just(TRUE) | truths(2), numbers(1), strings(1), orders, related, st.booleans())
def test_aggregates_agree_everywhere(
    function: Any,
    where: Expr,
    number: Expr,
    text: Expr,
    order: Expr,
    rows: list[dict[str, Any]],
    is_text: bool,
) -> None:
    value = text if is_text and function != "sum" else number
    agg = Aggregate(function, where, value, order)
    expected = aggregated(agg, rows)
    assert in_sqlite(sqlite.aggregate(agg), rows, "GROUP BY 'one record'") == [expected]
    assert python.aggregate(agg, rows) == expected


@pytest.mark.parametrize(
    ("function", "value"), [("count", 0), ("count_distinct", 0), ("sum", 0), ("last", None)]
)
def test_an_aggregate_of_no_rows(function: Any, value: int | None) -> None:
    agg = Aggregate(function, FALSE, Column("n"), Column("d"))
    assert in_sqlite(sqlite.aggregate(agg), [{"n": 1}], "GROUP BY 'one record'") == [value]
    assert python.aggregate(agg, []) == value


def test_last_and_first_go_by_time_then_id_and_pass_over_blanks() -> None:
    rows = [
        ABSENT | {ROW_ID: "a", "n": 5, "it's": "early"},
        ABSENT | {ROW_ID: "c", "n": 9, "it's": f"a set{SEPARATOR}"},
        ABSENT | {ROW_ID: "ab", "n": 9, "it's": "same time, smaller id"},
        ABSENT | {ROW_ID: "d", "n": 12, "it's": None},
        ABSENT | {ROW_ID: "e", "n": None, "it's": "no time"},
    ]
    for function, value in [("last", f"a set{SEPARATOR}"), ("first", "early")]:
        agg = Aggregate(function, value=Column("it's"), order=Column("n"))  # type: ignore[arg-type]
        assert in_sqlite(sqlite.aggregate(agg), rows, "GROUP BY 'one record'") == [value]
        assert python.aggregate(agg, rows) == value


@pytest.mark.parametrize(
    ("numbers", "total"),
    [
        ([LIMIT - 1], LIMIT - 1),
        ([LIMIT - 1, 1], None),
        ([LIMIT - 1] * 9, None),
        ([-LIMIT], -LIMIT),
        ([-LIMIT, -1], None),
        ([-1, -1, 5, None], 3),
        ([2**32 - 1, 2**32 - 1, -7], 2**33 - 9),
    ],
)
def test_a_sum_too_large_for_a_column_is_unknown_instead_of_an_error(
    numbers: list[int | None], total: int | None
) -> None:
    rows = [ABSENT | {"n": number} for number in numbers]
    agg = Aggregate("sum", value=Column("n"))
    assert in_sqlite(sqlite.aggregate(agg), rows, "GROUP BY 'one record'") == [total]
    assert python.aggregate(agg, rows) == total


def test_times_are_ordered_as_numbers() -> None:
    rows = [ABSENT | {ROW_ID: "a", "n": time, "d": time} for time in (9, 10, -5, -10, LIMIT - 1, -LIMIT)]
    for function, value in [("last", LIMIT - 1), ("first", -LIMIT)]:
        agg = Aggregate(function, value=Column("d"), order=Column("n"))  # type: ignore[arg-type]
        for some, expected in [(rows, value), (rows[:4], 10 if function == "last" else -10)]:
            assert in_sqlite(sqlite.aggregate(agg), some, "GROUP BY 'one record'") == [expected]
            assert python.aggregate(agg, some) == expected
