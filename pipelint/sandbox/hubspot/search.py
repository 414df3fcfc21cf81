"""Searching: filters, one order, a cap of 10,000, and an index that lags behind (fact sheet §5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from pipelint.sandbox.database import quote
from pipelint.sandbox.hubspot.call import Call, Handler, Json, whole
from pipelint.sandbox.hubspot.errors import Detail, HubSpotError, invalid_input
from pipelint.sandbox.hubspot.moments import parse
from pipelint.sandbox.hubspot.object_types import ObjectType
from pipelint.sandbox.hubspot.portal import Portal
from pipelint.sandbox.hubspot.property import Property
from pipelint.sandbox.hubspot.store import stale_of
from pipelint.sandbox.hubspot.told import asked, columns, records
from pipelint.sandbox.hubspot.values import Value

PAGE, DEFAULT_PAGE, CAP = 200, 10, 10_000
GROUPS, FILTERS, FILTERS_IN_ALL, SORTS, QUERY = 5, 6, 18, 1, 3_000

Clause: TypeAlias = tuple[str, list[Value]]
"""A condition in SQL and the values bound in it."""

_COMPARE = {"EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}


def search(call: Call) -> object:
    """A page of what the index has; archived records are never in it."""
    kind, portal, body = call.readable(), call.portal, call.json()
    properties = asked(portal, kind, [str(it) for it in _list(body, "properties")])
    limit, after = whole(body.get("limit") or DEFAULT_PAGE, "limit"), whole(body.get("after") or 0, "after")
    if not 1 <= limit <= PAGE:
        raise invalid_input(f"limit must be between 1 and {PAGE}, was {limit}")
    if after < 0 or after + limit > CAP:
        raise HubSpotError(
            400, f"There was a problem with the request: results beyond {CAP} cannot be paged to"
        )
    where, values = _where(portal, kind, body)
    order = _order(portal, kind, _list(body, "sorts"))
    table = _index(portal, kind)
    rows = portal.store.rows(
        f"SELECT {columns(kind, properties)} FROM {table} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",
        [*values, limit, after],
    )
    total = portal.store.scalar(f"SELECT count(*) FROM {table} WHERE {where}", values)
    answer: Json = {"total": total}
    answer["results"] = records(portal, kind, [dict(it) for it in rows], properties)
    if after + limit < total:
        answer["paging"] = {"next": {"after": str(after + limit)}}
    return answer


def _index(portal: Portal, kind: ObjectType) -> str:
    """The records as the index has them: those it has not caught up with as they were before."""
    stale = stale_of(kind)
    portal.store.run(f"DELETE FROM {stale} WHERE _until <= ?", [portal.now()])
    if not portal.store.scalar(f"SELECT count(*) FROM {stale}"):
        return kind.name
    shown = ", ".join(quote(it) for it in portal.store.columns(kind))
    return (
        f"(SELECT {shown} FROM {kind.name} WHERE hs_object_id NOT IN (SELECT hs_object_id FROM {stale})"
        f" UNION ALL SELECT {shown} FROM {stale})"
    )


def _where(portal: Portal, kind: ObjectType, body: Json) -> Clause:
    """All groups as one condition: either of the groups, all filters of a group."""
    groups = [_list(it, "filters") for it in _list(body, "filterGroups") if isinstance(it, dict)]
    if not groups and _list(body, "filters"):
        groups = [_list(body, "filters")]
    if (
        len(groups) > GROUPS
        or sum(map(len, groups)) > FILTERS_IN_ALL
        or any(len(it) > FILTERS for it in groups)
    ):
        raise invalid_input(
            f"Too many filters: at most {GROUPS} groups of {FILTERS} filters, {FILTERS_IN_ALL} in all"
        )
    values: list[Value] = []
    either = []
    for group in groups:
        clauses = [_filter(portal, kind, it) for it in group]
        either.append(" AND ".join(sql for sql, _ in clauses) or "1")
        values += [value for _, bound in clauses for value in bound]
    where = "NOT _archived"
    if either:
        where += f" AND ({' OR '.join(f'({it})' for it in either)})"
    text = str(body.get("query") or "")
    if len(text) > QUERY:
        raise invalid_input(f"query may have {QUERY} characters, has {len(text)}")
    for word in text.split() if kind.text else []:
        where += f" AND ({' OR '.join(f'{it} LIKE ?' for it in kind.text)})"
        values += [f"%{word}%"] * len(kind.text)
    return where, values


def _filter(portal: Portal, kind: ObjectType, sent: object) -> Clause:
    if not isinstance(sent, dict):
        raise invalid_input("a filter is an object", "json")
    name, operator = str(sent.get("propertyName")), str(sent.get("operator"))
    definition = portal.properties[kind].get(name)
    if definition is None:
        message = f"Property '{name}' does not exist"
        raise HubSpotError(400, f"There was a problem with the request. {message}",
                           details=[Detail(message, "PROPERTY_DOESNT_EXIST", {"propertyName": [name]})])  # fmt: skip
    column, bound = _column(definition), _binder(definition)
    value = sent.get("value")
    match operator:
        case "HAS_PROPERTY":
            return f"{quote(name)} IS NOT NULL", []
        case "NOT_HAS_PROPERTY":
            return f"{quote(name)} IS NULL", []
        case "EQ" | "NEQ" | "GT" | "GTE" | "LT" | "LTE" if value is not None:
            return f"{column} {_COMPARE[operator]} ?", [bound(value)]
        case "BETWEEN" if value is not None and sent.get("highValue") is not None:
            return f"{column} BETWEEN ? AND ?", [bound(value), bound(sent["highValue"])]
        case "IN" | "NOT_IN" if _list(sent, "values"):
            return _among(definition, column, operator, [bound(it) for it in _list(sent, "values")])
        case "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN" if value is not None:
            negation = "NOT " if operator.startswith("NOT") else ""
            return f"{quote(name)} {negation}LIKE ?", [f"%{str(value).strip('*')}%"]
    raise invalid_input(f"The operator {operator} of the filter on {name} is unknown, or has no value")


def _among(definition: Property, column: str, operator: str, values: list[Value]) -> Clause:
    negation = "NOT " if operator == "NOT_IN" else ""
    if definition.many:  # any of the values it holds
        either = " OR ".join([f"instr(';' || {column} || ';', ';' || ? || ';')"] * len(values))
        return f"{negation}({either})", values
    if definition.type == "string":  # lower case only, as HubSpot wants the values of IN
        column = f"lower({quote(definition.name)})"
    return f"{column} {negation}IN ({', '.join('?' * len(values))})", values


def _column(definition: Property) -> str:
    name = quote(definition.name)
    if definition.name == "hs_object_id" or definition.type == "datetime":
        return name
    if definition.type == "number":
        return f"CAST({name} AS REAL)"
    return f"{name} COLLATE NOCASE" if definition.type == "string" else name


def _binder(definition: Property) -> Callable[[object], Value]:
    """How a filter's value is read for this property."""

    def bound(value: object) -> Value:
        text = str(value).strip()
        try:
            if definition.type == "datetime":
                return parse(text)
            if definition.name == "hs_object_id":
                return int(text)
            if definition.type == "number":
                return float(text)
        except ValueError:
            raise invalid_input(f"{text} is not a value to compare {definition.name} with") from None
        return text

    return bound


def _order(portal: Portal, kind: ObjectType, sorts: Sequence[object]) -> str:
    """By one property, `-name` or an object; ties, and everything without an order, by id."""
    if len(sorts) > SORTS:
        raise invalid_input(f"A search takes {SORTS} sort, not {len(sorts)}")
    for it in sorts:
        match it:
            case {"propertyName": str(name), **rest}:
                descending = rest.get("direction") == "DESCENDING"
            case str(text):
                name, descending = text.removeprefix("-"), text.startswith("-")
            case _:
                raise invalid_input("a sort is a name, or an object with propertyName and direction", "json")
        definition = portal.properties[kind].get(name)
        if definition is None:
            raise HubSpotError(400, f"Property '{name}' does not exist")
        return f"{_column(definition)} {'DESC' if descending else 'ASC'}, hs_object_id"
    return "hs_object_id"


def _list(body: Json, name: str) -> list[object]:
    found = body.get(name) or []
    if not isinstance(found, list):
        raise invalid_input(f"{name} is a list", "json")
    return found


HANDLERS: dict[str, Handler] = {"POST /objects/<type>/search": search}
