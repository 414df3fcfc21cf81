"""Keeps prepared tables: one per fingerprint, made anew when the data or the day moved on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.prepare.columns import word_function
from pipelint.engine.prepare.evidence import register_placeholders
from pipelint.engine.prepare.functions import register, register_words
from pipelint.engine.prepare.money import register_rates
from pipelint.engine.prepare.table import prepare_sql
from pipelint.engine.prepare.words import (
    activity_words,
    choice_words,
    forecast_places,
    role_words,
    stage_rows,
)
from pipelint.rules.compile import CompiledPack
from pipelint.rules.fields import FieldType
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered, custom_source
from pipelint.rules.text import fold

VERSION = 2  # of the preparation itself: raise it when the same statement would mean something else
_KEPT = 2  # tables per kind and connection, so that two packs can be compared


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared table, ready to be evaluated."""

    table: str
    fresh: bool
    """Whether it was made just now."""


def prepare(
    cache: Cache, pack: Pack, compiled: CompiledPack, delivered: Delivered, read: Iterable[str]
) -> Prepared:
    """The prepared table of one kind on one connection, made if there is none for this state of the data."""
    words = _register(cache, pack, delivered)
    placeholders = sorted(pack.placeholders | pack.settings.blank_words)
    register_placeholders(cache.db, placeholders)
    rates: object = None
    if pack.currency is not None:
        register_rates(cache.db, pack.currency, compiled.moment.today)
        rates = repr((pack.currency.to, pack.currency.rates, compiled.moment.today))
    sql = prepare_sql(pack, compiled, delivered, read)
    settings = pack.settings
    basis = [
        VERSION,
        sql,
        words,
        sorted(settings.blank_words),
        repr(settings.calendar),
        delivered.connection,
        rates,
        placeholders,
    ]
    fingerprint = hashlib.sha256(json.dumps(basis, default=str).encode()).hexdigest()[:16]
    table = f"prepared_{compiled.kind}_{fingerprint}"
    stamp = _stamp(cache, delivered.connection)
    query = "SELECT stamp FROM prepared WHERE name = ?"
    found = cache.db.execute(query, (table,)).fetchone()
    if found is not None and found[0] == stamp:
        return Prepared(table, fresh=False)
    with cache.transaction() as db:
        db.execute(f'DROP TABLE IF EXISTS "{table}"')
        db.execute(f'CREATE TABLE "{table}" AS {sql}', {"connection": delivered.connection})
        db.execute(f'CREATE UNIQUE INDEX "{table}_id" ON "{table}" (id)')
        db.execute("DELETE FROM prepared WHERE name = ?", (table,))
        row = (table, delivered.connection, compiled.kind, stamp)
        db.execute("INSERT INTO prepared (name, connection, kind, stamp) VALUES (?, ?, ?, ?)", row)
        _drop_old(cache, delivered.connection, compiled.kind)
    return Prepared(table, fresh=True)


def _register(cache: Cache, pack: Pack, delivered: Delivered) -> dict[str, object]:
    """Make the functions and the stage map; the answer is everything they depend on."""
    db, crm, connection = cache.db, delivered.crm, delivered.connection
    register(db, pack.settings.calendar, pack.settings.blank_words)
    lists: dict[str, dict[str, int] | dict[str, str]] = {
        "pl_role": role_words(pack, crm, connection),
        "pl_activity_type": activity_words(pack, crm, connection),
        "pl_forecast": forecast_places(pack, crm, connection),
        "pl_changed_field": _own_names(pack, delivered),
    }
    for name, mapped in pack.fields.items():
        if mapped.choices:
            lists[word_function(name)] = choice_words(mapped.choices, crm, connection)
    many = {word_function(n) for n, m in pack.fields.items() if m.field.type is FieldType.CHOICES}
    for function, words in lists.items():
        register_words(db, function, dict(words), several=function in many)
    rows = stage_rows(db, pack, connection, crm)
    db.execute("DROP TABLE IF EXISTS temp.stage_map")
    db.execute(
        "CREATE TEMP TABLE stage_map (pipeline_id TEXT, stage_id TEXT, pipeline TEXT, number INTEGER, kind TEXT,"
        " grp INTEGER, ignored INTEGER)"
    )
    values = [
        (r.native_pipeline, r.native_stage, r.pipeline, r.number, r.kind, r.group, int(r.ignored))
        for r in rows
    ]
    db.executemany("INSERT INTO temp.stage_map VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    db.execute("CREATE INDEX temp.stage_map_by_id ON stage_map (stage_id, pipeline_id)")
    return {**lists, "stages": values}


def _own_names(pack: Pack, delivered: Delivered) -> dict[str, str]:
    """The pack's names of the CRM's own fields, as histories call them."""
    sources = {name: custom_source(pack, name, delivered) for name in pack.fields}
    return {fold(f"custom.{source}"): name for name, source in sources.items() if source is not None}


def _stamp(cache: Cache, connection: str) -> str:
    """Moves with every page that was stored for the connection."""
    rows = cache.db.execute(
        "SELECT stream, pull, last_pull_at, cursor FROM sync_state WHERE connection = ? ORDER BY stream",
        (connection,),
    ).fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


def _drop_old(cache: Cache, connection: str, kind: str) -> None:
    old = cache.db.execute(
        "SELECT name FROM prepared WHERE connection = ? AND kind = ? ORDER BY rowid DESC LIMIT -1 OFFSET ?",
        (connection, kind, _KEPT),
    ).fetchall()
    for (name,) in old:
        cache.db.execute(f'DROP TABLE IF EXISTS "{name}"')
        cache.db.execute("DELETE FROM prepared WHERE name = ?", (name,))
