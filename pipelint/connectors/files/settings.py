"""What a person writes in pipelint.yaml under a connection with `crm: files`."""

from __future__ import annotations

import codecs
from functools import partial
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, create_model

from pipelint.config import settings
from pipelint.config.problems import did_you_mean
from pipelint.config.values import wrong
from pipelint.connectors.base import FieldType
from pipelint.connectors.files.shape import plural, shape_of
from pipelint.connectors.files.values import DateOrder
from pipelint.records import Stream


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise wrong(f"'{name}' is not a known encoding", "write utf-8, cp1252 or utf-16") from None
    return name


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise wrong(f"'{name}' is not a time zone", "write a name like Europe/Paris") from None
    return name


def _delimiter(text: str) -> str:
    sign = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(sign) != 1:
        raise wrong(f"'{text}' is not a delimiter", "write one sign, or the word tab")
    return sign


def _known_field(stream: Stream, name: str) -> str:
    known = shape_of(stream).types
    if name not in known:
        hint = did_you_mean(name, known) or f"the fields are {', '.join(known)}"
        raise wrong(f"'{name}' is not a field of {plural(stream)}", hint)
    return name


class StreamSettings(settings.Settings):
    """One file and how to read it; the keys of `columns`, `constants` and `values` are canonical fields."""

    file: str = Field(min_length=1, description="the file's name, under the connection's path")
    columns: dict[str, str] = Field(default={}, description="canonical field: column; empty leaves it out")
    constants: dict[str, str] = Field(default={}, description="canonical field: a value that all rows have")
    values: dict[str, dict[str, str]] = Field(
        default={}, description="canonical field: {word of the file: ours}"
    )
    types: dict[str, FieldType] = Field(
        default={}, description="column of a custom field: its type, if not text"
    )
    zone: Annotated[str, AfterValidator(_zone)] | None = Field(
        default=None, description="of times without a zone"
    )
    dates: DateOrder = Field(
        default="iso", description="how dates are written: 2026-12-31, 31/12/2026, 12/31/2026"
    )
    decimal: Literal[".", ","] = Field(default=".", description="the sign before the decimals")
    thousands: Literal["", ",", ".", " ", "'"] = Field(
        default="", description="the sign between groups of digits"
    )
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8-sig"
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None = Field(default=None, description="CSV only")


def _settings_for(stream: Stream) -> type[StreamSettings]:
    """The settings of one stream: a field that it does not have is refused where it is written."""
    name = Annotated[str, AfterValidator(partial(_known_field, stream))]
    return create_model(
        f"{plural(stream).title().replace('_', '')}Settings",
        __base__=StreamSettings,
        columns=(dict[name, str], {}),
        constants=(dict[name, str], {}),
        values=(dict[name, dict[str, str]], {}),
    )


# Links are columns of the activities file; rates have a file of the pack's own (rules.md §4.1).
_NO_FILE = {Stream.ACTIVITY_LINKS, Stream.EXCHANGE_RATES}

_FILES: dict[str, Any] = {
    plural(stream): (_settings_for(stream) | None, None) for stream in Stream if stream not in _NO_FILE
}
Streams: Any = create_model("Streams", __base__=settings.Settings, **_FILES)


class Settings(settings.Settings):
    """A folder of CSV or JSON exports."""

    crm: Literal["files"]
    path: str = Field(min_length=1, description="the folder, relative to the project; may hold ${env:NAME}")
    streams: Streams

    def by_stream(self) -> dict[Stream, StreamSettings]:
        """The streams that have a file, in the order in which they are pulled."""
        given = {stream: getattr(self.streams, plural(stream), None) for stream in Stream}
        return {stream: cast("StreamSettings", found) for stream, found in given.items() if found is not None}
