"""The fields of a company's deals, persons and organizations: names, keys of 40 characters, options and their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from pipelint.connectors.base import FieldInfo, FieldType
from pipelint.connectors.pipedrive.client import Client
from pipelint.connectors.pipedrive.endpoints import Endpoint
from pipelint.errors import UnexpectedAnswer

FIELD_TYPES: Final[dict[str, FieldType]] = {
    **dict.fromkeys(("varchar", "varchar_auto", "text", "phone", "address", "time", "timerange"), "text"),
    **dict.fromkeys(("varchar_options", "user", "org", "people"), "text"),
    "enum": "choice",
    "set": "choices",
    "double": "number",
    "int": "number",
    "monetary": "money",
    "date": "date",
    "daterange": "date",
}
"""Pipedrive's types → ours; others are not offered."""


FEEDS: Final[dict[str, str]] = {
    "title": "name",
    "value": "amount",
    "expected_close_date": "close_date",
    "lost_reason": "lost_reason",
    "channel": "source",
    "probability": "probability",
}
"""Standard fields of deals → ours."""


class Option(msgspec.Struct, frozen=True):
    """One of the options of a field; an id of a standard field may be a word."""

    id: int | str | bool
    label: str = ""


class Required(msgspec.Struct, frozen=True):
    """Where the web interface insists on a field: at all stages where none is named (fact sheet §4)."""

    enabled: bool = False
    stage_ids: list[int] = []
    statuses: dict[str, list[str]] = {}

    @property
    def everywhere(self) -> bool:
        """Whether it is no matter where a deal is."""
        return self.enabled and not self.stage_ids and not self.statuses


class Field(msgspec.Struct, frozen=True):
    """A field as `dealFields` tells it."""

    name: str = msgspec.field(name="field_name")
    code: str = msgspec.field(name="field_code")
    type: str = msgspec.field(name="field_type")
    given: list[Option] | None = msgspec.field(name="options", default=None)
    custom: bool = msgspec.field(name="is_custom_field", default=False)
    required: Required | None = msgspec.field(name="required_fields", default=None)

    @property
    def options(self) -> list[Option]:
        return self.given or []


class Fields:
    """The fields of one kind of thing, found by key, or by name where only one bears it.

    `own` are the keys of our fields by the names they were made with, which somebody may have changed.
    """

    def __init__(self, fields: Iterable[Field], own: Mapping[str, str] | None = None) -> None:
        self.all = tuple(fields)
        self._by_code = {field.code: field for field in self.all}
        self._by_name: dict[str, list[Field]] = {}
        for field in self.all:
            self._by_name.setdefault(field.name.casefold(), []).append(field)
        self._made_as: dict[str, str] = {}
        for name, code in (own or {}).items():
            if code in self._by_code:
                self._by_name.setdefault(name.casefold(), [self._by_code[code]])
                self._made_as[code] = name

    def named(self, name: str) -> list[Field]:
        """All fields that bear a name: names are not unique."""
        return self._by_name.get(name.casefold(), [])

    def find(self, name: str) -> Field | None:
        """The field that a key or a name means, if it means one."""
        if name in self._by_code:
            return self._by_code[name]
        custom = [field for field in self.named(name) if field.custom]
        return custom[0] if len(custom) == 1 else None

    def name(self, field: Field) -> str:
        """What we call a field: ours by the name it was made with."""
        return self._made_as.get(field.code, field.name)

    def label(self, code: str, option: object) -> str | None:
        """What an option of a standard field is called; as it came where the field does not say."""
        if option is None:
            return None
        field = self._by_code.get(code)
        labels = {str(one.id): one.label for one in field.options} if field else {}
        return labels.get(str(option), str(option))


def read_fields(client: Client, endpoint: Endpoint, *, name: str) -> list[Field]:
    """All pages of a list of fields: tools that read one page lost fields beyond the hundredth (fact sheet §4)."""
    asked = {"include_fields": "required_fields"} if endpoint.path.endswith("dealFields") else {}
    found: list[Field] = []
    for page in client.pages(endpoint, name=name, params=asked):
        try:
            found += msgspec.convert(page.rows, list[Field], strict=False)
        except msgspec.ValidationError as error:
            raise UnexpectedAnswer(f"Pipedrive answers {name} in an unknown form: {error}") from None
    return found


def infos(fields: Fields, stages: Iterable[int] = ()) -> list[FieldInfo]:
    """The fields that rules can use, by their keys; `stages` are those that a deal can be in."""
    everywhere = frozenset(map(str, stages))
    return [
        FieldInfo(
            name=field.code,
            label=fields.name(field),
            type=FIELD_TYPES[field.type],
            custom=field.custom,
            required=field.required is not None and field.required.everywhere,
            feeds=FEEDS.get(field.code, ""),
            required_in=_required_in(field.required, everywhere) if field.required else frozenset(),
            choices={str(option.id): option.label for option in field.options},
        )
        for field in fields.all
        if field.type in FIELD_TYPES
    ]


def _required_in(required: Required, everywhere: frozenset[str]) -> frozenset[str]:
    """The stages that insist on a field; won and lost are statuses there, named for each pipeline."""
    if not required.enabled:
        return frozenset()
    ends = {f"{pipeline}/{status}" for pipeline, found in required.statuses.items() for status in found}
    return frozenset({*map(str, required.stage_ids), *ends}) | (everywhere if required.everywhere else set())
