"""JSON documents as programs read them: UTF-8, indented, in a stable order, numbers exact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from pipelint.rules.ir import SCALE

_json = msgspec.json.Encoder(decimal_format="number")


def as_text(document: object) -> str:
    """A document of plain values, dataclasses or structs as JSON."""
    return msgspec.json.format(_json.encode(document), indent=2).decode()


def encoded(document: object) -> str:
    """The same on one line."""
    return _json.encode(document).decode()


def streamed(parts: Iterable[tuple[str, object]]) -> Iterator[str]:
    """The text of a document, piece by piece; a part that is an iterator holds items as `encoded` makes them."""
    opening = "{\n"
    for name, part in parts:
        yield f'{opening}  "{name}": '
        opening = ",\n"
        if isinstance(part, Iterator):
            yield from _items(part)
        else:
            yield as_text(part).replace("\n", "\n  ")
    yield "\n}"


def _items(items: Iterator[str]) -> Iterator[str]:
    opening = "[\n    "
    for item in items:
        yield opening + msgspec.json.format(item, indent=2).replace("\n", "\n    ")
        opening = ",\n    "
    yield "[]" if opening.startswith("[") else "\n  ]"


def exact(scaled: int | None) -> int | Decimal | None:
    """A prepared number (× 10 000) for a document: whole where it is whole, else with the decimals it has."""
    return None if scaled is None else number(Decimal(scaled) / SCALE)


def number(value: Decimal) -> int | Decimal:
    """A number for a document: `42000`, `1234.5`."""
    return int(value) if value == value.to_integral_value() else value.normalize()
