"""Scores of records as people and programs read them, taken from prepared columns (rules.md §4.10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.prepare.columns import quoted
from pipelint.engine.source import Source
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.explain import Row
from pipelint.rules.ir import SCALE
from pipelint.rules.messages import Reader, Texts
from pipelint.rules.pack import Pack
from pipelint.rules.scores import Cap, grade_key
from pipelint.rules.scores import Score as Definition


@dataclass(frozen=True, slots=True)
class Score:
    """One score of one record: the total, what it is made of, why, and which items are not known."""

    connection: str
    kind: RecordKind
    id: str
    name: str
    score: str
    total: int
    grade: str | None
    categories: Mapping[str, Decimal]
    reasons: tuple[str, ...]
    not_known: tuple[str, ...]


def scores(
    cache: Cache, source: Source, *, language: str, ages: bool, record: str | None = None
) -> Iterator[Score]:
    """Every score of a source, or of one record, ordered by record id; records out of scope have none.

    `ages` lets reasons say "18 days ago", as with findings.
    """
    definitions = source.pack.live_scores(source.compiled.kind)
    if not definitions:
        return
    today = source.compiled.moment.today if ages else None
    for row in _rows(cache, source.table, definitions, record):
        reader = source.reader(row, language, today)
        for definition in definitions:
            if row[definition.field.main.name] is not None:
                yield score_of(source, definition, row, reader)


def score_of(source: Source, definition: Definition, row: Row, reader: Reader) -> Score:
    """The score of a prepared record in scope."""
    total = _whole(row, definition.field.main.name)
    return Score(
        connection=source.connection,
        kind=definition.kind,
        id=str(row["id"]),
        name=str(row.get("name") or ""),
        score=definition.name,
        total=total // SCALE,
        grade=definition.grade(total),
        categories={
            category.name: points(_whole(row, definition.column("category", category.name)))
            for category in definition.categories
        },
        reasons=tuple(_reasons(definition, row, reader)),
        not_known=tuple(
            item.name for item in definition.items if row[definition.column("item", item.name)] is None
        ),
    )


def _reasons(definition: Definition, row: Row, reader: Reader) -> Iterator[str]:
    """Of the items that gave or took points, and of the cap where it lowered the total."""
    for item in definition.items:
        if row[definition.column("item", item.name)]:
            yield said(item.because, item.name, reader)
    cap = cap_of(definition, row)
    if cap is not None:
        yield said(cap.because, f"at most {points(cap.at)}", reader)


def cap_of(definition: Definition, row: Row) -> Cap | None:
    """The cap that lowered the total."""
    number = row[definition.column("cap")]
    if number is None:
        return None
    cap = definition.caps[int(number)]
    columns = (definition.column("category", category.name) for category in definition.categories)
    return cap if sum(_whole(row, column) for column in columns) > cap.at else None


def said(because: Texts | None, otherwise: str, reader: Reader) -> str:
    """A reason in the reader's language; where the pack gives none, what it is called."""
    return otherwise if because is None else reader.fill(because.say(reader.language))


def points(scaled: int) -> Decimal:
    """Points as people write them."""
    return Decimal(scaled) / SCALE


def score_columns(source: Source) -> list[str]:
    """The prepared columns that `written_scores` reads."""
    return [name for each in _written(source) for name in (each.field.main.name, each.field.marker)]


def written_scores(source: Source, cells: Sequence[int | None]) -> dict[str, int | str | None]:
    """Totals and grades of one record by the keys of `crm_fields`, blank where it is out of scope.

    A score is left out where data that was not supplied leaves open whether the record is in scope: what was
    written before stays. `cells` are the values of `score_columns`.
    """
    values: dict[str, int | str | None] = {}
    for definition, total, missing in zip(_written(source), cells[::2], cells[1::2], strict=True):
        if not missing:
            values[definition.name] = None if total is None else total // SCALE
            values[grade_key(definition.name)] = None if total is None else definition.grade(total)
    return values


def unscored(source: Source) -> dict[str, int | str | None]:
    """What our fields hold of the scores of a record that has none."""
    return {key: None for each in _written(source) for key in (each.name, grade_key(each.name))}


def _written(source: Source) -> list[Definition]:
    return [each for each in source.pack.live_scores(source.compiled.kind) if each.status == "on"]


def reason_texts(pack: Pack, kind: RecordKind) -> Iterator[Texts]:
    """The texts of reasons, whose fields must be prepared."""
    for definition in pack.live_scores(kind):
        parts = [each.because for each in definition.items] + [each.because for each in definition.caps]
        yield from (text for text in parts if text is not None)


def _rows(
    cache: Cache, table: str, definitions: Iterable[Definition], record: str | None
) -> Iterator[dict[str, int | str | None]]:
    scored = " OR ".join(f"{quoted(each.field.main.name)} IS NOT NULL" for each in definitions)
    one = "" if record is None else " AND id = ?"
    query = f'SELECT * FROM "{table}" WHERE ({scored}){one} ORDER BY id'
    cursor = cache.db.execute(query, () if record is None else (record,))
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def _whole(row: Row, column: str) -> int:
    return int(row[column] or 0)
