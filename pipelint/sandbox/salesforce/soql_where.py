"""WHERE as SQL: each comparison with what its field's type makes of the literal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from pipelint.sandbox.salesforce import ids
from pipelint.sandbox.salesforce.date_literals import days
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.fields import Field
from pipelint.sandbox.salesforce.soql_ast import Comparison, Condition, Literal, Logic, Not, Query
from pipelint.sandbox.salesforce.soql_scope import Column, Scope
from pipelint.sandbox.salesforce.store import Value
from pipelint.sandbox.salesforce.values import stamp

_NUMERIC = {"int", "double", "currency", "percent"}
_ACCEPTS = {"date": {"date"}, "datetime": {"datetime"}, "boolean": {"boolean"}}
_ORDERED = {"<", "<=", ">", ">="}


class Conditions:
    """Compiles the conditions of one statement; bound values collect in `parameters`."""

    def __init__(
        self, scope: Scope, now: datetime, zone: str, subquery: Callable[[Query], tuple[str, list[Value]]]
    ) -> None:
        self._scope = scope
        self._zone = ZoneInfo(zone)
        self._today = now.astimezone(self._zone).date()
        self._subquery = subquery
        self.parameters: list[Value] = []

    def sql(self, condition: Condition) -> str:
        match condition:
            case Logic(operator, conditions):
                return "(" + f" {operator} ".join(self.sql(it) for it in conditions) + ")"
            case Not(inner):
                return f"NOT {self.sql(inner)}"
            case Comparison():
                return self._comparison(condition)

    def _comparison(self, it: Comparison) -> str:
        column = self._scope.column(it.path)
        field = column.field
        if not field.filterable:
            raise SalesforceError(
                "INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call"
            )
        if (it.operator in {"INCLUDES", "EXCLUDES"}) != (
            field.type == "multipicklist" and len(it.operator) > 6
        ):
            raise _wrong_operator(field)
        if it.query is not None:
            return self._semi_join(column, it.operator, it.query)
        for literal in it.values:
            _check_type(field, literal)
        # An empty string cannot be stored: it means null.
        it = replace(it, values=tuple(_null_if_empty(literal) for literal in it.values))
        match it.operator:
            case "IN" | "NOT IN":
                return self._list(column, it)
            case "INCLUDES" | "EXCLUDES":
                return self._choices(column, it)
            case "LIKE":
                return self._like(column, it.values[0])
        return self._compare(column, it.operator, it.values[0])

    def _compare(self, column: Column, operator: str, literal: Literal) -> str:
        if literal.kind == "null":
            if operator in _ORDERED:
                raise _wrong_operator(column.field)
            return f"{column.sql} IS {'NOT ' if operator == '!=' else ''}NULL"
        if literal.kind == "range":
            return self._range(column, operator, literal)
        if operator in _ORDERED and column.field.type == "boolean":
            raise _wrong_operator(column.field)
        self.parameters.append(_value(column.field, literal))
        # A null differs from every value: `!=` finds it too (fact sheet §3, Literals).
        return f"{column.sql} {'IS NOT' if operator == '!=' else operator} ?"

    def _range(self, column: Column, operator: str, literal: Literal) -> str:
        first, after = (self._bound(column.field, day) for day in days(literal.value, self._today))
        sql = column.sql
        match operator:
            case "=":
                self.parameters += [first, after]
                return f"({sql} >= ? AND {sql} < ?)"
            case "!=":
                self.parameters += [first, after]
                return f"({sql} IS NULL OR {sql} < ? OR {sql} >= ?)"
            case "<" | ">=":
                self.parameters.append(first)
                return f"{sql} {operator} ?"
            case _:
                self.parameters.append(after)
                return f"{sql} {'>=' if operator == '>' else '<'} ?"

    def _bound(self, field: Field, day: date) -> str:
        if field.type == "date":
            return day.isoformat()
        return stamp(datetime.combine(day, time(), self._zone))

    def _list(self, column: Column, it: Comparison) -> str:
        nulls = [literal for literal in it.values if literal.kind == "null"]
        values = [literal for literal in it.values if literal.kind != "null"]
        self.parameters += [_value(column.field, literal) for literal in values]
        listed = f"{column.sql} IN ({', '.join('?' * len(values))})"
        if it.operator == "IN":
            return f"({listed} OR {column.sql} IS NULL)" if nulls else listed
        if nulls:
            return f"({column.sql} IS NOT NULL AND NOT {listed})"
        return f"({column.sql} IS NULL OR NOT {listed})"

    def _semi_join(self, column: Column, operator: str, query: Query) -> str:
        sql, parameters = self._subquery(query)
        self.parameters += parameters
        if operator == "IN":
            return f"{column.sql} IN ({sql})"
        return f"({column.sql} IS NULL OR {column.sql} NOT IN ({sql}))"

    def _choices(self, column: Column, it: Comparison) -> str:
        """`INCLUDES ('A;B', 'C')`: A and B, or C."""
        sets = []
        for literal in it.values:
            parts = literal.value.split(";")
            self.parameters += [f";{part.lower()};" for part in parts]
            sets.append(" AND ".join([f"instr(';' || lower({column.sql}) || ';', ?)"] * len(parts)))
        found = " OR ".join(f"({it})" for it in sets)
        return f"({found})" if it.operator == "INCLUDES" else f"({column.sql} IS NULL OR NOT ({found}))"

    def _like(self, column: Column, literal: Literal) -> str:
        if literal.kind != "string" or column.field.type in {"id", "reference"}:
            raise _wrong_operator(column.field)
        self.parameters.append(literal.value)
        return f"{column.sql} LIKE ? ESCAPE '\\'"


def _wrong_operator(field: Field) -> SalesforceError:
    kind = "id" if field.type in {"id", "reference"} else field.type
    return SalesforceError("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {kind} field")


def _check_type(field: Field, literal: Literal) -> None:
    """Refuse a literal of another type than its field."""
    if literal.kind == "null" or (literal.kind == "range" and field.type in {"date", "datetime"}):
        return
    accepts = {"number"} if field.type in _NUMERIC else _ACCEPTS.get(field.type, {"string"})
    if literal.kind in accepts:
        return
    kind = {"datetime": "dateTime", "currency": "double", "percent": "double"}.get(field.type, field.type)
    message = f"value of filter criterion for field '{field.name}' must be of type "
    if accepts == {"string"}:
        message += f"{'string' if field.type != 'id' else 'id'} and should be enclosed in quotes"
    else:
        message += kind + (" and should not be enclosed in quotes" if literal.kind == "string" else "")
    raise SalesforceError("INVALID_FIELD", message)


def _null_if_empty(literal: Literal) -> Literal:
    return replace(literal, kind="null") if literal.kind == "string" and not literal.value else literal


def _value(field: Field, literal: Literal) -> Value:
    match literal.kind:
        case "number":
            return float(literal.value)
        case "boolean":
            return int(literal.value == "TRUE")
        case "datetime":
            return stamp(datetime.fromisoformat(literal.value).astimezone(UTC))
        case "date":
            return date.fromisoformat(literal.value).isoformat()
    if field.type in {"id", "reference"}:
        known = ids.normalise(literal.value)
        if known is None:
            raise SalesforceError("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.value}")
        return known
    return literal.value.replace("\\_", "_").replace("\\%", "%")
