"""Reading SOQL by recursive descent, refusing in Salesforce's own words."""

from __future__ import annotations

import re

from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.soql_ast import (
    Aggregate,
    Comparison,
    Condition,
    Fields,
    Literal,
    Logic,
    Not,
    Order,
    Path,
    Query,
)
from pipelint.sandbox.salesforce.soql_tokens import Token, pointing, tokens

MAX_STATEMENT = 100_000
MAX_LITERAL = 4_000
MAX_OFFSET = 2_000

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "_": "\\_",
            "%": "\\%"}  # fmt: skip
_AGGREGATES = {"COUNT", "COUNT_DISTINCT", "MAX", "MIN", "SUM", "AVG"}
_CLAUSES = {"FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "ALL", "AND", "OR", "NOT", "LIKE", "IN"}
_COMPARES = {"=", "!=", "<>", "<", "<=", ">", ">="}
DATE_RANGES = re.compile(
    r"(?:TODAY|YESTERDAY|TOMORROW|(?:LAST|NEXT)_90_DAYS|(?:THIS|LAST|NEXT)_(?:WEEK|MONTH|QUARTER|YEAR)"
    r"|(?:LAST|NEXT)_N_(?:DAYS|WEEKS|MONTHS|QUARTERS|YEARS):\d+|N_(?:DAYS|WEEKS|MONTHS)_AGO:\d+)",
    re.IGNORECASE,
)


def parse(text: str) -> Query:
    """Read a statement.

    Raises:
        SalesforceError: MALFORMED_QUERY, as Salesforce words it.
    """
    if len(text) > MAX_STATEMENT:
        raise SalesforceError(
            "MALFORMED_QUERY", f"SOQL statements can not be longer than {MAX_STATEMENT} characters."
        )
    return _Parser(text).statement()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._place = 0
        self._unnamed = 0

    def statement(self) -> Query:
        query = self._query()
        if self._now.kind != "end":
            raise self._unexpected()
        return query

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._now
        self._place += 1
        return token

    def _is(self, word: str) -> bool:
        return self._now.kind in {"name", "symbol"} and self._now.upper == word

    def _accept(self, *words: str) -> bool:
        """Take these words if they come next, all of them or none."""
        ahead = self._tokens[self._place : self._place + len(words)]
        if [it.upper for it in ahead] != list(words) or any(it.kind == "string" for it in ahead):
            return False
        self._place += len(words)
        return True

    def _expect(self, word: str) -> Token:
        if not self._is(word):
            raise self._unexpected(f"expecting {word}" if word == "FROM" else "")
        return self._take()

    def _unexpected(self, also: str = "") -> SalesforceError:
        if self._is(":"):
            message = "Bind variables only allowed in Apex code"
        else:
            message = f"unexpected token: '{self._now.text}'" + (f" ({also})" if also else "")
        return SalesforceError("MALFORMED_QUERY", pointing(self._text, self._now.at, message))

    def _query(self) -> Query:
        begin = self._expect("SELECT").at
        select = [self._selected()]
        while self._accept(","):
            select.append(self._selected())
        self._expect("FROM")
        source = self._name()
        alias = ""
        if self._now.kind == "name" and self._now.upper not in _CLAUSES:
            alias = self._take().text
        where = self._conditions() if self._accept("WHERE") else None
        group_by: list[Path] = []
        if self._accept("GROUP", "BY"):
            group_by = [self._path()]
            while self._accept(","):
                group_by.append(self._path())
        order_by: list[Order] = []
        if self._accept("ORDER", "BY"):
            order_by = [self._order()]
            while self._accept(","):
                order_by.append(self._order())
        limit = self._whole() if self._accept("LIMIT") else None
        offset = self._whole() if self._accept("OFFSET") else 0
        if offset > MAX_OFFSET:
            raise SalesforceError(
                "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            )
        all_rows = self._accept("ALL", "ROWS")
        return Query(
            tuple(select), source.text, source.at if select else begin, alias, where, tuple(group_by),
            tuple(order_by), limit, offset, all_rows,
        )  # fmt: skip

    def _selected(self) -> Path | Fields | Aggregate | Query:
        if self._accept("("):
            query = self._query()
            self._expect(")")
            return query
        token = self._now
        following = self._tokens[self._place + 1] if token.kind == "name" else token
        if following.text == "(" and token.upper == "FIELDS":
            self._place += 2
            group = self._name()
            if group.upper not in {"ALL", "STANDARD", "CUSTOM"}:
                self._place -= 1
                raise self._unexpected()
            self._expect(")")
            return Fields(group.upper, token.at)
        if following.text == "(" and token.upper in _AGGREGATES:
            return self._aggregate()
        return self._path()

    def _aggregate(self) -> Aggregate:
        function = self._take()
        self._expect("(")
        path = None if function.upper == "COUNT" and self._is(")") else self._path()
        self._expect(")")
        if self._now.kind == "name" and self._now.upper not in _CLAUSES:
            alias = self._take().text
        else:
            alias = f"expr{self._unnamed}"
            self._unnamed += path is not None
        return Aggregate(function.upper, path, alias, function.at)

    def _name(self) -> Token:
        if self._now.kind != "name":
            raise self._unexpected()
        return self._take()

    def _path(self) -> Path:
        if self._now.upper in _CLAUSES:
            raise self._unexpected()
        name = self._name()
        return Path(tuple(name.text.split(".")), name.at)

    def _whole(self) -> int:
        if self._now.kind != "number" or not self._now.text.isdigit():
            raise self._unexpected()
        return int(self._take().text)

    def _order(self) -> Order:
        path = self._path()
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        nulls_last = self._accept("NULLS", "LAST")
        if not nulls_last:
            self._accept("NULLS", "FIRST")
        return Order(path, descending, nulls_last)

    def _conditions(self) -> Condition:
        first = self._condition()
        operator = self._now.upper
        if not (self._is("AND") or self._is("OR")):
            return first
        conditions = [first]
        while self._accept(operator):
            conditions.append(self._condition())
        if self._is("AND") or self._is("OR"):  # the other one: without parentheses they do not mix
            raise self._unexpected()
        return Logic(operator, tuple(conditions))

    def _condition(self) -> Condition:
        if self._accept("("):
            inner = self._conditions()
            self._expect(")")
            return inner
        if self._accept("NOT"):
            return Not(self._condition())
        path = self._path()
        token = self._now
        if token.kind == "symbol" and token.text in _COMPARES:
            self._take()
            return Comparison(path, "!=" if token.text == "<>" else token.text, (self._literal(),))
        if self._accept("LIKE"):
            return Comparison(path, "LIKE", (self._literal(),))
        for words in (("IN",), ("NOT", "IN"), ("INCLUDES",), ("EXCLUDES",)):
            if self._accept(*words):
                return self._membership(path, " ".join(words))
        raise self._unexpected()

    def _membership(self, path: Path, operator: str) -> Comparison:
        self._expect("(")
        if self._is("SELECT") and operator.endswith("IN"):
            query = self._query()
            self._expect(")")
            return Comparison(path, operator, (), query)
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect(")")
        return Comparison(path, operator, tuple(values))

    def _literal(self) -> Literal:
        token = self._now
        if token.kind in {"date", "datetime", "number"}:
            self._take()
            return Literal(token.kind, token.text, token.at)  # type: ignore[arg-type]  # the three kinds above
        if token.kind == "string":
            self._take()
            return Literal("string", self._unescape(token), token.at)
        if token.kind == "range" or token.kind == "name":
            if DATE_RANGES.fullmatch(token.text):
                self._take()
                return Literal("range", token.upper, token.at)
            if token.upper in {"TRUE", "FALSE"}:
                self._take()
                return Literal("boolean", token.upper, token.at)
            if token.upper == "NULL":
                self._take()
                return Literal("null", "", token.at)
        raise self._unexpected()

    def _unescape(self, token: Token) -> str:
        body = token.text[1:-1]
        if len(body) > MAX_LITERAL:
            raise SalesforceError(
                "INVALID_QUERY_FILTER_OPERATOR",
                f"literal longer than {MAX_LITERAL} characters in WHERE clause",
            )

        def resolve(escape: re.Match[str]) -> str:
            letter = escape.group(1)
            if letter not in _ESCAPES:
                raise SalesforceError(
                    "MALFORMED_QUERY",
                    pointing(
                        self._text, token.at + 1 + escape.start(), f"Illegal escape sequence '\\{letter}'"
                    ),
                )
            return _ESCAPES[letter]

        return re.sub(r"\\(.)", resolve, body, flags=re.DOTALL)
