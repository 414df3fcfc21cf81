"""Reads `fields:`: the pack's own names, their types, and their places in each CRM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.errors import Place
from pipelint.rules.catalogue import CANONICAL, PRICE_MARKER, RecordKind
from pipelint.rules.fields import Field, FieldType, Origin
from pipelint.rules.form import Form, texts_of
from pipelint.rules.pack import MappedField, NativeNames
from pipelint.rules.read_settings import read_names
from pipelint.rules.sections import Entry

_KEYS = ("label", "type", "for", "from", "unmapped", "values")
TYPES = {
    "text": FieldType.TEXT,
    "choice": FieldType.CHOICE,
    "choices": FieldType.CHOICES,
    "number": FieldType.NUMBER,
    "money": FieldType.MONEY,
    "days": FieldType.DAYS,
    "date": FieldType.DATE,
    "date_time": FieldType.DATETIME,
    "yes_no": FieldType.YES_NO,
}


def read_fields(
    section: Mapping[str, Entry],
    declared: Mapping[str, Entry],
    systems: Sequence[str],
    problems: Problems,
) -> dict[str, MappedField]:
    """Every entry of `fields:`, and the fields that used packs declare.

    A name that is standard, or that a used pack declares, keeps its type unless the entry gives another.
    """
    standard = {field.name: field for fields in CANONICAL.values() for field in fields}
    found = _read(declared, standard, systems, problems)
    known = standard | {name: mapped.field for name, mapped in found.items()}
    return found | _read(section, known, systems, problems)


def _read(
    section: Mapping[str, Entry],
    standard: Mapping[str, Field],
    systems: Sequence[str],
    problems: Problems,
) -> dict[str, MappedField]:
    found: dict[str, MappedField] = {}
    for name, entry in section.items():
        form = Form(entry.node, f"the field {name}", _KEYS, problems)
        known = standard.get(name)
        written = form.choice("type", tuple(TYPES))
        if known is None and not form.has("type"):
            hint = f"add one of: {', '.join(TYPES)}"
            near = did_you_mean(name, standard)
            problems.error(
                entry.key.place, f"'{name}' is not a standard field, so its type is needed", near or hint
            )
        if known is not None and known.origin is Origin.STAGE:
            problems.error(
                entry.key.place, f"'{name}' comes from 'pipelines:' and cannot be mapped", "leave it out"
            )
            continue
        label = form.text("label")
        choices = _choices(form.node("values"), systems, problems)
        type_ = TYPES[written] if written else known.type if known else FieldType.TEXT
        if not _name_is_free(name, known, entry, problems):
            continue
        field = Field(
            name,
            type_,
            label.value if label else known.about if known else name,
            Origin.CUSTOM,
            name,
            tuple(choices) if type_ in {FieldType.CHOICE, FieldType.CHOICES} else (),
            f"{name}__missing" if choices else "",
        )
        found[name] = MappedField(
            field,
            read_names(form.node("from"), systems, problems),
            form.choice("unmapped", ("blank",)) is not None,
            choices,
            _places(form.node("values")),
            entry.key.place,
            form.choice("for", ("opportunity", "lead")) or "opportunity",
        )
    return found


def _name_is_free(name: str, known: Field | None, entry: Entry, problems: Problems) -> bool:
    where, dot, rest = name.partition(".")
    if dot and known is None and where != "account":
        problems.error(entry.key.place, f"'{name}': only fields of the account are reached with a point")
        return False
    if name in {"blank", "present", "all", "any", "not", "record", "items"} or (dot and not rest):
        problems.error(
            entry.key.place, f"'{name}' has a meaning of its own in conditions", "choose another name"
        )
        return False
    return True


def _choices(node: Node | None, systems: Sequence[str], problems: Problems) -> dict[str, NativeNames]:
    """`values:` as a list of words, or as a map from our words to the CRM's."""
    if node is None:
        return {}
    if isinstance(node, List):
        return {text.value: {} for text in texts_of(node, "'values'", problems)}
    if not isinstance(node, Map):
        problems.error(
            node.place, f"{kind_of(node)} stands where values are expected", "a list, or names with 'from:'"
        )
        return {}
    found: dict[str, NativeNames] = {}
    for key, value in node.entries:
        if isinstance(value, Text) and value.is_empty:
            found[key.value] = {}
            continue
        form = Form(value, f"the value {key.value}", ("from",), problems)
        found[key.value] = read_names(form.node("from"), systems, problems)
    return found


def _places(node: Node | None) -> dict[str, Place]:
    """Where each value stands."""
    texts = [item for item in node.items if isinstance(item, Text)] if isinstance(node, List) else []
    if isinstance(node, Map):
        texts = [key for key, _ in node.entries]
    return {text.value: text.place for text in texts}


def with_mapping(kind: RecordKind, mapped: Mapping[str, MappedField]) -> dict[str, Field]:
    """The names of one kind of record: standard ones, retyped where the pack maps them, and the pack's own."""
    known = {field.name: field for field in CANONICAL[kind]}
    known |= {name: entry.field for name, entry in mapped.items() if entry.kind == kind}
    return known


def in_one_currency(fields: Mapping[str, Field]) -> dict[str, Field]:
    """The same fields, with the money of the record itself marked as unknown where its currency has no rate."""
    return {
        name: replace(field, marker=PRICE_MARKER)
        if field.type is FieldType.MONEY and not name.startswith("account.")
        else field
        for name, field in fields.items()
    }
