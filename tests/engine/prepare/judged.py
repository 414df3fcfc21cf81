"""A pack in a folder, and the findings of records that a cache holds: the whole way that a check goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelint.config.problems import Problems
from pipelint.connectors.base import Page, Supply
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import source_of
from pipelint.engine.finding import Finding
from pipelint.engine.findings import findings
from pipelint.records import RECORD_TYPES, Record, Stream
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered

AS_OF = datetime(2026, 11, 20, 9, tzinfo=UTC)
STAGES = """\
pipelint: 1
stages:
  - {name: early, kind: open, group: early}
  - {name: late, kind: open, group: late}
  - {name: won, kind: won}
  - {name: lost, kind: lost}
pipelines: {sales: {stages: {early: {}, late: {}, won: {}, lost: {}}}}
"""


def read(home: Path, text: str) -> tuple[Pack | None, list[str]]:
    """The pack of a project's folder, and its mistakes."""
    folder = home / "rules"
    folder.mkdir(exist_ok=True)
    (folder / "stages.yaml").write_text(STAGES, encoding="utf-8")
    (folder / "pack.yaml").write_text(f"pipelint: 1\n{text}", encoding="utf-8")
    problems = Problems()
    pack = load_pack(folder, "rules", problems, ("sales",), home=home)
    return pack, [f"{each.place}: {each.what}" for each in problems.found]


def sound(home: Path, text: str) -> Pack:
    pack, problems = read(home, text)
    assert problems == []
    assert pack is not None
    return pack


def stored(
    cache: Cache,
    records: Mapping[Stream, Sequence[Record]],
    custom: Mapping[Stream, Sequence[str]] | None = None,
    crm: str = "files",
    without: Mapping[Stream, frozenset[str]] | None = None,
) -> Delivered:
    """The records as one connection named `sales`, which delivers every field but those `without`."""
    fields, customs = {}, {}
    for stream in sorted(records, key=list(Stream).index):
        absent = (without or {}).get(stream, frozenset())
        fields[stream] = frozenset(RECORD_TYPES[stream]._fields) - absent
        customs[stream] = frozenset((custom or {}).get(stream, ()))
        supply = Supply(stream, fields[stream], customs[stream])
        cache.store("sales", Page(stream, list(records[stream]), "end"), supply, 1, AS_OF)
    return Delivered("sales", crm, fields, customs)


def judged(
    cache: Cache, pack: Pack, said: Delivered, kind: RecordKind = "opportunity"
) -> dict[str, dict[str, Finding]]:
    """Every finding, by record and rule."""
    source = source_of(cache, pack, kind, said, AS_OF)
    found: dict[str, dict[str, Finding]] = {}
    for each in findings(cache, source, language="en", ages=False):
        found.setdefault(each.id, {})[each.rule] = each
    return found


def outcomes(
    cache: Cache, pack: Pack, said: Delivered, rule: str, kind: RecordKind = "opportunity"
) -> dict[str, str]:
    """What became of one rule, by record; what is clean is left out."""
    found = judged(cache, pack, said, kind)
    return {record: rules[rule].status for record, rules in found.items() if rule in rules}
