"""A SOQL statement as a plan: the SQL that finds its rows, and the shape in which they are answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelint.sandbox.database import quote
from pipelint.sandbox.salesforce.access import Access
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.schema import SObject
from pipelint.sandbox.salesforce.soql_ast import Aggregate, Fields, Order, Path, Query
from pipelint.sandbox.salesforce.soql_scope import ADVICE, NAME_OBJECT, Column, Scope, find_object
from pipelint.sandbox.salesforce.soql_tokens import pointing
from pipelint.sandbox.salesforce.soql_where import Conditions
from pipelint.sandbox.salesforce.store import Value
from pipelint.sandbox.salesforce.values import stamp

FIELDS_LIMIT = 200
RECYCLE_BIN = timedelta(days=15)
"""So long queryAll still finds what was deleted (fact sheet §5)."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of the answer and the column of the SQL row it comes from."""

    name: str
    index: int
    type: str


@dataclass(slots=True)
class Node:
    """A record within the answer; `id_index` tells whether there is one, `type_index` of what kind."""

    name: str
    sobject: SObject
    id_index: int
    type_index: int | None = None
    leaves: list[Leaf | Node | Child] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Child:
    """Rows of a child object within each record: `(SELECT … FROM OpportunityContactRoles)`."""

    name: str
    lookup: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Plan:
    """Row numbers first (`rows_sql`), then the records of a page (`page_sql`)."""

    sobject: SObject
    table: str
    joins: str
    where: str
    parameters: list[Value]
    order: str
    limit: int | None
    offset: int
    columns: list[str]
    shape: Node

    @property
    def source(self) -> str:
        return self.table + self.joins

    @property
    def rows_sql(self) -> str:
        paging = f" LIMIT {self.limit if self.limit is not None else -1} OFFSET {self.offset}"
        return f"SELECT t0._row FROM {self.source} WHERE {self.where} ORDER BY {self.order}" + (
            paging if self.limit is not None or self.offset else ""
        )

    @property
    def page_sql(self) -> str:
        """One page; the JSON list of row numbers is the only parameter."""
        columns = ", ".join(["t0._row", *self.columns])
        return f"SELECT {columns} FROM {self.source} WHERE t0._row IN (SELECT value FROM json_each(?))"

    @property
    def children(self) -> list[Child]:
        return [it for it in self.shape.leaves if isinstance(it, Child)]

    def selects(self, *names: str) -> bool:
        """Whether one of these fields of the object itself is asked for."""
        return any(isinstance(it, Leaf) and it.name in names for it in self.shape.leaves)


@dataclass(frozen=True, slots=True)
class AggregatePlan:
    """Grouped rows: the answer's keys and types beside the SQL."""

    sql: str
    parameters: list[Value]
    outputs: list[tuple[str, str]]


class Compiler:
    """Turns statements into plans for one user at one moment."""

    def __init__(
        self,
        access: Access,
        text: str,
        now: datetime,
        *,
        include_deleted: bool = False,
        tooling: bool = False,
    ) -> None:
        self._access = access
        self._text = text
        self._now = now
        self._include_deleted = include_deleted
        self._tooling = tooling

    def plan(self, query: Query) -> Plan:
        base = find_object(self._access, query.sobject, query.at, self._text, tooling=self._tooling)
        return self._plan(query, base)

    def aggregate(self, query: Query) -> AggregatePlan:
        base = find_object(self._access, query.sobject, query.at, self._text, tooling=self._tooling)
        scope = Scope(self._access, base, query.alias, self._text)
        grouped = [scope.column(path) for path in query.group_by]
        selected: list[str] = []
        outputs: list[tuple[str, str]] = []
        for it in query.select:
            match it:
                case Aggregate(path=None):
                    selected.append("count(*)")
                    outputs.append((it.alias, "int"))
                case Aggregate(path=Path() as path):
                    column = scope.column(path)
                    selected.append(_aggregate_sql(it.function, column))
                    outputs.append((it.alias, _aggregate_type(it.function, column)))
                case Path() if (column := scope.column(it)) in grouped:
                    selected.append(column.sql)
                    outputs.append((column.names[-1], column.field.type))
                case _:
                    name = it.text if isinstance(it, Path) else "query"
                    raise SalesforceError(
                        "MALFORMED_QUERY",
                        pointing(self._text, it.at, f"Field must be grouped or aggregated: {name}"),
                    )
        where, parameters = self._where(scope, query)
        sql = f"SELECT {', '.join(selected)} FROM {scope.table}{scope.parents} WHERE {where}"
        if grouped:
            sql += " GROUP BY " + ", ".join(it.sql for it in grouped)
        if query.order_by:
            sql += " ORDER BY " + ", ".join(_order_sql(scope, it) for it in query.order_by)
        if query.limit is not None and grouped:
            sql += f" LIMIT {query.limit}"
        return AggregatePlan(sql, parameters, outputs)

    def _plan(self, query: Query, base: SObject) -> Plan:
        scope = Scope(self._access, base, query.alias, self._text)
        columns: list[str] = ['t0."Id"']
        shape = Node(base.name, base, 1)
        nodes: dict[tuple[str, ...], Node] = {(): shape}
        seen: set[tuple[str, ...]] = set()
        for it in query.select:
            if isinstance(it, Query):
                shape.leaves.append(self._child(it, base))
                continue
            for column in self._columns(it, scope, query):
                if column.names in seen:
                    raise SalesforceError(
                        "INVALID_FIELD", f"duplicate field selected: {'.'.join(column.names)}"
                    )
                seen.add(column.names)
                columns.append(column.sql)
                leaf = Leaf(column.names[-1], len(columns), column.field.type)
                self._node(scope, column.names[:-1], nodes, columns).leaves.append(leaf)
        order = ", ".join([*(_order_sql(scope, it) for it in query.order_by), "t0._row"])
        where, parameters = self._where(scope, query)
        return Plan(
            base,
            scope.table,
            scope.parents,
            where,
            parameters,
            order,
            query.limit,
            query.offset,
            columns,
            shape,
        )

    def _columns(self, it: Path | Fields | Aggregate, scope: Scope, query: Query) -> list[Column]:
        match it:
            case Path():
                return [scope.column(it)]
            case Fields(group):
                if group != "STANDARD" and (query.limit is None or query.limit > FIELDS_LIMIT):
                    raise SalesforceError(
                        "MALFORMED_QUERY",
                        f"The SOQL FIELDS function must have a LIMIT of at most {FIELDS_LIMIT}",
                    )
                wanted = {"ALL": (False, True), "STANDARD": (False,), "CUSTOM": (True,)}[group]
                return [
                    scope.column(Path((found.name,), it.at))
                    for found in self._access.fields(scope.base)
                    if found.custom in wanted and found.type != "json"
                ]
        raise AssertionError(it)  # statements with aggregates go through `aggregate`

    def _node(
        self, scope: Scope, names: tuple[str, ...], nodes: dict[tuple[str, ...], Node], columns: list[str]
    ) -> Node:
        if names not in nodes:
            parent = self._node(scope, names[:-1], nodes, columns)
            join = scope.joins[names]
            columns.append(join.column("Id"))
            node = Node(names[-1], join.sobject, len(columns))
            if join.sobject is NAME_OBJECT:
                columns.append(join.column("Type"))
                node.type_index = len(columns)
            parent.leaves.append(node)
            nodes[names] = node
        return nodes[names]

    def _child(self, query: Query, base: SObject) -> Child:
        found = self._access.schema.child(base, query.sobject)
        if found is None or query.offset:
            raise SalesforceError(
                "INVALID_TYPE",
                pointing(
                    self._text,
                    query.at,
                    f"Didn't understand relationship '{query.sobject}' in FROM part of query call."
                    + ADVICE.format(kind="relationship", suffix="__r", thing="custom relationship"),
                ),
            )
        child, lookup = found
        return Child(str(lookup.children), lookup.name, self._plan(query, child))

    def _where(self, scope: Scope, query: Query) -> tuple[str, list[Value]]:
        conditions = Conditions(scope, self._now, self._access.zone, self._semi_join)
        parts = [conditions.sql(query.where)] if query.where is not None else []
        if not self._include_deleted:
            parts += [f"NOT t0.{quote(it)}" for it in ("IsDeleted", "IsArchived") if it in scope.base.fields]
        elif "IsDeleted" in scope.base.fields and "SystemModstamp" in scope.base.fields:
            parts.append('NOT (t0."IsDeleted" AND t0."SystemModstamp" < ?)')
            conditions.parameters.append(stamp(self._now - RECYCLE_BIN))
        return " AND ".join(parts) or "1", conditions.parameters

    def _semi_join(self, query: Query) -> tuple[str, list[Value]]:
        base = find_object(self._access, query.sobject, query.at, self._text, tooling=self._tooling)
        scope = Scope(self._access, base, query.alias, self._text)
        if len(query.select) != 1 or not isinstance(path := query.select[0], Path):
            raise SalesforceError(
                "MALFORMED_QUERY", "The inner select of a semi join must have exactly one field"
            )
        column = scope.column(path)
        where, parameters = self._where(scope, query)
        source = f"{scope.table}{scope.parents}"
        return f"SELECT {column.sql} FROM {source} WHERE {where} AND {column.sql} IS NOT NULL", parameters


def _order_sql(scope: Scope, it: Order) -> str:
    column = scope.column(it.path)
    if not column.field.filterable:
        raise SalesforceError(
            "INVALID_FIELD", f"field '{column.field.name}' can not be sorted in a query call"
        )
    return f"{column.sql} {'DESC' if it.descending else 'ASC'} NULLS {'LAST' if it.nulls_last else 'FIRST'}"


def _aggregate_sql(function: str, column: Column) -> str:
    if not column.field.filterable or (
        function in {"SUM", "AVG"} and column.field.column_type not in {"REAL", "INTEGER"}
    ):
        raise SalesforceError(
            "MALFORMED_QUERY", f"field {column.field.name} does not support aggregate operator {function}"
        )
    if function == "COUNT_DISTINCT":
        return f"count(DISTINCT {column.sql})"
    return f"{function.lower()}({column.sql})"


def _aggregate_type(function: str, column: Column) -> str:
    if function.startswith("COUNT"):
        return "int"
    return "double" if function == "AVG" else column.field.type
