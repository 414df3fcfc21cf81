"""The admin's bench: is the pack sound, which rules are there, what may a rule use (rules.md §4.14)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelint.config.paths import shown
from pipelint.config.problems import Problems
from pipelint.config.project import load_project_file, names_in_broken_file
from pipelint.connectors import registry
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import sources
from pipelint.engine.delivered import delivered
from pipelint.engine.project import Project
from pipelint.engine.source import Source
from pipelint.errors import Problem
from pipelint.rules.catalogue import ENTITIES, RecordKind
from pipelint.rules.compile_condition import Moment
from pipelint.rules.contradictions import contradictions
from pipelint.rules.fields import Field, Origin
from pipelint.rules.load import load_tests
from pipelint.rules.pack import Pack, native_names
from pipelint.rules.supply import inputs_of


def validate(folder: Path) -> tuple[Pack | None, list[Problem]]:
    """The pack if it is sound, and every problem of the project's files, warnings included."""
    problems = Problems()
    file = load_project_file(folder, problems, known_crms=registry.known())
    rules = file.rules if file else folder / "rules"
    if file is not None:
        for connection in file.connections.values():
            connection.settings(registry.load(connection.crm).Settings, problems, elsewhere=True)
    names = tuple(file.connections) if file else names_in_broken_file(folder)
    pack, _ = load_tests(rules, shown(rules, folder), problems, names, home=folder)
    sound = None if problems.errors else pack
    found = [*problems.found, *(_contradictions(sound) if sound else ())]
    return sound, sorted(found, key=lambda p: (p.place.file, p.place.line, p.place.column))


def _contradictions(pack: Pack) -> Iterator[Problem]:
    for rule, other in contradictions(pack, Moment(pack.settings.calendar, datetime(2026, 1, 1, tzinfo=UTC))):
        what = f"{rule.name} contradicts {other.name} ({other.place}): what one leaves clean the other flags"
        yield Problem(rule.place, what, "change one, or give them different scopes", "", "warning")


@dataclass(frozen=True, slots=True)
class Usable:
    """A name that a rule may use."""

    name: str
    kind: str
    type: str
    about: str
    sources: dict[str, str]
    """By connection: where it comes from; empty where it is not synced."""
    filled: float | None
    """Share of records that have a value; None before a pull, or where it does not apply."""
    values: tuple[str, ...]


def usable(project: Project, search: str = "") -> Iterator[Usable]:
    """Every field, fact and related field that contains the word."""
    word = _spoken(search)
    with project.cache() as cache:
        for kind in ("opportunity", "lead"):
            shares = filled(cache, project, kind)
            for field in project.pack.known[kind].values():
                if word in _spoken(f"{field.name} {field.about}"):
                    origins = dict(_origins(cache, project, kind, field))
                    yield Usable(
                        field.name,
                        kind,
                        field.type.value,
                        field.about,
                        origins,
                        shares.get(field.name),
                        field.values,
                    )
    for entity in ENTITIES.values():
        for field in entity.fields:
            name = f"{entity.name}.{field.name}"
            if word in _spoken(f"{name} {field.about}"):
                yield Usable(name, "related rows", field.type.value, field.about, {}, None, field.values)


def _spoken(text: str) -> str:
    """As people say it: `next_step` is found by "next step"."""
    return text.replace("_", " ").casefold()


def _origins(cache: Cache, project: Project, kind: RecordKind, field: Field) -> Iterator[tuple[str, str]]:
    for connection in project.file.connections.values():
        said = delivered(cache, connection)
        if not said.fields:
            yield connection.name, "not pulled yet"
        elif field.name in inputs_of(project.pack, kind, said).unsynced:
            yield connection.name, "not synced"
        else:
            mapped = project.pack.fields.get(field.name)
            names = native_names(mapped.names, connection.crm, connection.name) if mapped else ()
            made = {Origin.FACT: "fact", Origin.STAGE: "stages"}.get(field.origin, "standard")
            yield connection.name, names[0] if names else made


def filled(cache: Cache, project: Project, kind: RecordKind) -> dict[str, float]:
    """Share of records with a value, over all connections."""
    names = tuple(project.pack.known[kind])
    count: dict[str, int] = {}
    total = 0
    for connection in project.file.connections.values():
        for source in sources(cache, project, connection, project.clock(), read=names):
            if source.compiled.kind != kind:
                continue
            chosen = ", ".join(_having(source, project.pack.known[kind][name]) for name in names)
            row = cache.db.execute(f'SELECT count(*), {chosen} FROM "{source.table}"').fetchone()
            total += row[0]
            for name, value in zip(names, row[1:], strict=True):
                count[name] = count.get(name, 0) + value
    return {name: value / total for name, value in count.items()} if total else {}


def _having(source: Source, field: Field) -> str:
    """Counts the records that have a value; one worked out of a history that begins too late is none."""
    column = f'"{field.main.name}"'
    if field.name not in source.compiled.inputs.partial:
        return f"count({column})"
    return f'count(CASE WHEN "{field.column("partial").name}" = 0 THEN {column} END)'
