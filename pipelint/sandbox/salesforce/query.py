"""Answering queries: cursors over row numbers, and pages of records read when they are asked for."""

from __future__ import annotations

import json
import secrets
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.database import quote
from pipelint.sandbox.salesforce.access import Access
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.soql import parse
from pipelint.sandbox.salesforce.soql_sql import Child, Compiler, Leaf, Node, Plan
from pipelint.sandbox.salesforce.store import Store

Record = dict[str, object]

DEFAULT_BATCH = 2_000
CHILD_BATCH = 200
CURSOR_LIFE = timedelta(days=2)
WIDE = 100
"""From this many fields on, pages get shorter than asked: a client must not count rows (fact sheet §3)."""
MAX_GROUPS = 2_000


@dataclass(slots=True)
class Cursor:
    """The rows a query found, by number; their values are read page by page."""

    plan: Plan
    rows: array[int]
    batch: int
    opened_at: datetime
    user_id: str
    key: str = ""


class Queries:
    """Runs SOQL for users and keeps the cursors of answers longer than a page."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._cursors: dict[str, Cursor] = {}

    def run(
        self,
        access: Access,
        text: str,
        *,
        base: str,
        include_deleted: bool = False,
        tooling: bool = False,
        batch: int = DEFAULT_BATCH,
    ) -> Record:
        """The first page of an answer; `base` is the API version's path, such as `/services/data/v68.0`."""
        query = parse(text)
        compiler = Compiler(access, text, self._clock.now(), include_deleted=include_deleted, tooling=tooling)
        if query.aggregates:
            return self._aggregate(compiler, text, count_only=query.count_only)
        plan = compiler.plan(query)
        rows = array("q", self._store.numbers(plan.rows_sql, plan.parameters))
        if tooling and plan.selects("Metadata", "FullName") and len(rows) > 1:
            raise SalesforceError(
                "MALFORMED_QUERY",
                "When retrieving results with Metadata or FullName fields, the query qualifications must"
                f" specify no more than one row for retrieval. Result size: {len(rows)}",
            )
        cursor = Cursor(plan, rows, _page_size(plan, batch), self._clock.now(), access.user_id)
        return self._page(cursor, 0, base)

    def more(self, access: Access, locator: str, *, base: str) -> Record:
        """A later page, by the last part of its `nextRecordsUrl`."""
        key, _, offset = locator.partition("-")
        cursor = self._cursors.get(key)
        if (
            cursor is None
            or not offset.isdigit()
            or cursor.user_id != access.user_id
            or self._clock.now() - cursor.opened_at > CURSOR_LIFE
        ):
            raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(cursor, int(offset), base)

    def rows(self, plan: Plan, numbers: Sequence[int]) -> dict[int, Sequence[object]]:
        """The values of rows by their numbers; those removed meanwhile are left out."""
        return {row[0]: row for row in self._store.rows(plan.page_sql, [json.dumps(list(numbers))])}

    def _page(self, cursor: Cursor, offset: int, base: str) -> Record:
        numbers = cursor.rows[offset : offset + cursor.batch]
        return self._envelope(cursor, offset, self._records(cursor, numbers, base), base)

    def _envelope(self, cursor: Cursor, offset: int, records: Sequence[Record], base: str) -> Record:
        after = offset + cursor.batch
        answer: Record = {"totalSize": len(cursor.rows), "done": after >= len(cursor.rows)}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"{base}/query/{self._keep(cursor)}-{after}"
        answer["records"] = records
        return answer

    def _keep(self, cursor: Cursor) -> str:
        """The name under which the cursor can be asked for more; those too old are forgotten."""
        if not cursor.key:
            oldest = self._clock.now() - CURSOR_LIFE
            self._cursors = {key: it for key, it in self._cursors.items() if it.opened_at >= oldest}
            cursor.key = f"01gSb{secrets.token_hex(7)[:13]}"
            self._cursors[cursor.key] = cursor
        return cursor.key

    def _records(self, cursor: Cursor, numbers: Sequence[int], base: str) -> list[Record]:
        plan = cursor.plan
        found = self.rows(plan, numbers)
        families = {child.name: self._families(cursor, child, numbers, base) for child in plan.children}
        return [
            _shape(
                plan.shape, found[number], base, {name: rows.get(number) for name, rows in families.items()}
            )
            for number in numbers
            if number in found
        ]

    def _families(self, cursor: Cursor, child: Child, numbers: Sequence[int], base: str) -> dict[int, Record]:
        """For each parent row number, the answer of the sub-query; parents without rows are left out."""
        plan = child.plan
        parents = quote(cursor.plan.sobject.name)
        sql = (
            f"SELECT parent._row, t0._row FROM {parents} AS parent"
            f' JOIN {plan.table} ON t0.{quote(child.lookup)} = parent."Id"{plan.joins}'
            f" WHERE parent._row IN (SELECT value FROM json_each(?)) AND {plan.where} ORDER BY {plan.order}"
        )
        rows_of: dict[int, array[int]] = {}
        for parent, number in self._store.rows(sql, [json.dumps(list(numbers)), *plan.parameters]):
            rows = rows_of.setdefault(parent, array("q"))
            if plan.limit is None or len(rows) < plan.limit:
                rows.append(number)
        first = {
            parent: Cursor(plan, rows, CHILD_BATCH, cursor.opened_at, cursor.user_id)
            for parent, rows in rows_of.items()
        }
        shown = [number for it in first.values() for number in it.rows[:CHILD_BATCH]]
        found = self.rows(plan, shown)
        return {
            parent: self._envelope(
                it, 0, [_shape(plan.shape, found[number], base, {}) for number in it.rows[:CHILD_BATCH]], base
            )
            for parent, it in first.items()
        }

    def _aggregate(self, compiler: Compiler, text: str, *, count_only: bool) -> Record:
        plan = compiler.aggregate(parse(text))
        rows = self._store.rows(plan.sql, plan.parameters)
        if count_only:
            return {"totalSize": rows[0][0], "done": True, "records": []}
        if len(rows) > MAX_GROUPS:
            raise SalesforceError(
                "EXCEEDED_ID_LIMIT",
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single"
                " batch",
            )
        records = [
            {
                "attributes": {"type": "AggregateResult"},
                **{name: _value(row[i], kind) for i, (name, kind) in enumerate(plan.outputs)},
            }
            for row in rows
        ]
        return {"totalSize": len(records), "done": True, "records": records}


def _page_size(plan: Plan, batch: int) -> int:
    size = batch // (1 + len(plan.children))
    return max(1, size * WIDE // max(WIDE, len(plan.columns)))


def _shape(node: Node, row: Sequence[object], base: str, families: dict[str, Record | None]) -> Record:
    kind = node.sobject.name if node.type_index is None else str(row[node.type_index])
    record: Record = {"attributes": {"type": kind, "url": f"{base}/sobjects/{kind}/{row[node.id_index]}"}}
    for it in node.leaves:
        match it:
            case Leaf(name, index, type_):
                record[name] = _value(row[index], type_)
            case Node():
                record[it.name] = None if row[it.id_index] is None else _shape(it, row, base, {})
            case Child():
                record[it.name] = families.get(it.name)
    return record


def _value(value: object, type_: str) -> object:
    if value is None:
        return None
    if type_ == "boolean":
        return bool(value)
    return json.loads(str(value)) if type_ == "json" else value
