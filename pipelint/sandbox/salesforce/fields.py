"""One field of an sObject: what describe says about it, and short ways to declare it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LONG_TEXT = 255
"""A text area longer than this can neither be filtered nor sorted (fact sheet §3)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a picklist."""

    value: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A column and its describe entry; `type` is in describe's own vocabulary."""

    name: str
    type: str
    label: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    createable: bool = True
    updateable: bool = True
    calculated: bool = False
    custom: bool = False
    tracked: bool = False
    """Whether changes leave rows in the object's field history."""
    unique: bool = False
    external_id: bool = False
    default: object = None
    help_text: str | None = None
    choices: tuple[Choice, ...] = ()
    restricted: bool = False
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    """The name under which the parent knows its rows, such as `OpportunityContactRoles`."""

    @property
    def long_text(self) -> bool:
        return self.type == "textarea" and self.length > LONG_TEXT

    @property
    def filterable(self) -> bool:
        return not self.long_text and self.type not in {"json", "anyType"}

    @property
    def column_type(self) -> str:
        """The SQLite declaration; text compares without case, as SOQL does, ids and stamps with it."""
        if self.type in {"boolean", "int"}:
            return "INTEGER"
        if self.type in {"double", "currency", "percent"}:
            return "REAL"
        if self.type == "anyType":
            return ""
        return "TEXT" if self.type in {"id", "reference", "date", "datetime"} else "TEXT COLLATE NOCASE"


def label_of(name: str) -> str:
    """The label a field gets when none is given: `LastStageChangeDate` becomes "Last Stage Change Date"."""
    bare = name.removesuffix("__c").replace("_", " ")
    spaced = "".join(
        f" {c}" if c.isupper() and i and bare[i - 1].islower() else c for i, c in enumerate(bare)
    )
    return spaced.removesuffix(" Id") + (" ID" if spaced.endswith(" Id") else "")


def text(name: str, length: int = 255, *, required: bool = False, read_only: bool = False) -> Field:
    """A line of text."""
    return Field(
        name,
        "string",
        label_of(name),
        length,
        required=required,
        createable=not read_only,
        updateable=not read_only,
    )


def area(name: str, length: int = 32_000) -> Field:
    """A text area; a long one can be neither filtered nor sorted."""
    return Field(name, "textarea", label_of(name), length)


def typed(
    name: str, type_: str, length: int = 0, *, read_only: bool = False, required: bool = False
) -> Field:
    """A field of any simple type: date, datetime, int, email, phone, url."""
    sizes = {"email": 80, "phone": 40, "url": 255}
    return Field(
        name,
        type_,
        label_of(name),
        length or sizes.get(type_, 0),
        precision=8 if type_ == "int" else 0,
        required=required,
        createable=not read_only,
        updateable=not read_only,
    )


def number(
    name: str,
    type_: str = "currency",
    *,
    precision: int = 18,
    scale: int = 2,
    required: bool = False,
    read_only: bool = False,
) -> Field:
    """A currency, percent or double."""
    return Field(
        name,
        type_,
        label_of(name),
        precision=precision,
        scale=scale,
        required=required,
        createable=not read_only,
        updateable=not read_only,
    )


def flag(name: str, *, read_only: bool = False, default: bool = False) -> Field:
    """A checkbox: never null, false unless told otherwise."""
    return Field(
        name, "boolean", label_of(name), default=default, createable=not read_only, updateable=not read_only
    )


def picklist(
    name: str,
    values: Iterable[str] = (),
    *,
    required: bool = False,
    restricted: bool = False,
    read_only: bool = False,
    default: str | None = None,
) -> Field:
    """A choice; an unrestricted one also takes values that are not on its list."""
    return Field(
        name,
        "picklist",
        label_of(name),
        255,
        required=required,
        restricted=restricted,
        createable=not read_only,
        updateable=not read_only,
        default=default,
        choices=tuple(Choice(value, value, default=value == default) for value in values),
    )


def lookup(
    name: str,
    *targets: str,
    children: str | None = None,
    required: bool = False,
    read_only: bool = False,
    updateable: bool = True,
) -> Field:
    """A reference; the relationship is the name without its final Id, as in `Account.Name`."""
    return Field(
        name,
        "reference",
        label_of(name),
        18,
        required=required,
        createable=not read_only,
        updateable=updateable and not read_only,
        reference_to=targets,
        relationship=name.removesuffix("Id"),
        children=children,
    )
