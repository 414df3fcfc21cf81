"""Makes known to a connection what the prepared columns need: functions, lists of words, the stage map."""

from __future__ import annotations

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.prepare.columns import word_function
from pipelint.engine.prepare.evidence import register_placeholders
from pipelint.engine.prepare.functions import register, register_words
from pipelint.engine.prepare.money import register_rates
from pipelint.engine.prepare.words import (
    activity_words,
    choice_words,
    forecast_places,
    role_words,
    stage_rows,
    stages_seen,
)
from pipelint.rules.fields import FieldType
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered, custom_source
from pipelint.rules.text import fold


def register_all(cache: Cache, pack: Pack, delivered: Delivered, today: int) -> list[object]:
    """Make everything known; the answer is what it depends on."""
    db, settings = cache.db, pack.settings
    register(db, settings.calendar, settings.blank_words)
    placeholders = sorted(pack.placeholders | settings.blank_words)
    register_placeholders(db, placeholders)
    rates: object = None
    if pack.currency is not None:
        register_rates(db, pack.currency, today)
        rates = repr((pack.currency.to, pack.currency.rates, today))
    words = _register_words(cache, pack, delivered)
    return [words, _map_stages(cache, pack, delivered), placeholders, rates, _calendar(pack)]


def _calendar(pack: Pack) -> list[object]:
    settings = pack.settings
    return [sorted(settings.blank_words), repr(settings.calendar)]


def _register_words(cache: Cache, pack: Pack, delivered: Delivered) -> dict[str, object]:
    crm, connection = delivered.crm, delivered.connection
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
        register_words(cache.db, function, dict(words), several=function in many)
    return {**lists}


def _map_stages(cache: Cache, pack: Pack, delivered: Delivered) -> list[object]:
    """The stage map, and what the CRM itself says about its stages."""
    db, connection = cache.db, delivered.connection
    rows = stage_rows(db, pack, connection, delivered.crm, stages_seen(db, connection))
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
    usual = "SELECT pipeline, id, probability FROM stage WHERE connection = ? ORDER BY 1, 2"
    return [values, db.execute(usual, (connection,)).fetchall()]


def _own_names(pack: Pack, delivered: Delivered) -> dict[str, str]:
    """The pack's names of the CRM's own fields, as histories call them."""
    sources = {name: custom_source(pack, name, delivered) for name in pack.fields}
    return {fold(f"custom.{source}"): name for name, source in sources.items() if source is not None}
