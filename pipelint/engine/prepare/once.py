"""A prepared table that is looked at once: over the records of a past moment, and gone with the process."""

from __future__ import annotations

from collections.abc import Iterable

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.prepare.register import register_all
from pipelint.engine.prepare.table import Statement
from pipelint.rules.compile import CompiledPack
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered


def prepare_once(
    cache: Cache, pack: Pack, compiled: CompiledPack, delivered: Delivered, read: Iterable[str]
) -> str:
    """The name of a temporary prepared table of one kind on one connection."""
    register_all(cache, pack, delivered, compiled.moment.today)
    sql = Statement(pack, compiled, compiled, delivered, read).sql()
    name = f"past_{compiled.kind}_{delivered.connection}"
    cache.db.execute(f'DROP TABLE IF EXISTS temp."{name}"')
    cache.db.execute(f'CREATE TEMP TABLE "{name}" AS {sql}', {"connection": delivered.connection})
    cache.db.execute(f'CREATE UNIQUE INDEX temp."{name}_id" ON "{name}" (id)')
    return name
