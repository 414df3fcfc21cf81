"""Which column of a file feeds which canonical field, and every mistake in saying so at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelint.config.problems import did_you_mean
from pipelint.connectors.files.settings import StreamSettings
from pipelint.connectors.files.shape import Shape, plural
from pipelint.errors import Place, Problem, ProblemsFound


def columns_by_field(
    shape: Shape, settings: StreamSettings, columns: Sequence[str], shown: str
) -> Mapping[str, str]:
    """Canonical field → column: as the settings say, else the column of the same name."""
    if not columns:  # JSON without a record says nothing about its columns
        return {name: column for name, column in settings.columns.items() if column}
    by_name = {name: name for name in shape.types if name in columns}
    mapped = {name: column for name, column in {**by_name, **settings.columns}.items() if column}
    given = {*mapped, *settings.constants, *shape.implied}
    stream = plural(shape.stream)
    mistakes = [
        (f"there is no column '{column}' for {name} of {stream}", _hint(column, columns, settings))
        for name, column in mapped.items()
        if column not in columns
    ] + [
        (
            f"{stream} need a column for {name}",
            f"say which it is, under columns: {name}: <{' | '.join(columns)}>",
        )
        for name in (*(["id"] if shape.needs_id else []), *shape.needed)
        if name not in given
    ]
    if mistakes:
        raise ProblemsFound([Problem(Place(shown, 1, 1), what, hint) for what, hint in mistakes])
    return mapped


def _hint(column: str, columns: Sequence[str], settings: StreamSettings) -> str:
    names = {"\t": "tab"}
    sign = next((sign for sign in ";\t|," if sign in columns[0]), "") if len(columns) == 1 else ""
    if sign and sign != settings.delimiter:
        return f"is the file separated by another sign? Try delimiter: {names.get(sign, sign)!r}"
    return did_you_mean(column, columns) or f"the columns are {', '.join(columns)}"
