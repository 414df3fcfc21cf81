"""Conditions as JSON Schema: each field of this project with the operators and words of its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pipelint.rules.calendar import PERIOD_UNITS, PERIODS, UNITS
from pipelint.rules.fields import NUMERIC, TEMPORAL, Field, FieldType
from pipelint.rules.operators import PLAIN_LIST, Operator, Takes, operators_of

Schema: TypeAlias = dict[str, Any]

SCALAR: Schema = {"type": ["string", "number", "boolean"]}
SETTING: Schema = {"type": "string", "pattern": r"^\$"}
LENGTH: Schema = {"type": "string", "pattern": rf"^(\$.+|\d+\s+({'|'.join(f'{u[:-1]}s?' for u in UNITS)}))$"}
_NUMBER: Schema = {"type": ["number", "string"], "pattern": r"^(\$.+|[+-]?\d+(\.\d+)?\s*(%|days?)?)$"}
_DATE: Schema = {"type": "string", "pattern": r"^(\$.+|today.*|\d{4}-\d\d-\d\d)$"}
_YES: Schema = {"enum": ["yes", "no", True, False]}


def ref(name: str) -> Schema:
    """A reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def map_of(properties: Mapping[str, Schema], **more: object) -> Schema:
    """A map with these keys and no others."""
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}


def list_of(items: Schema) -> Schema:
    """A list of such items, with at least one."""
    return {"type": "array", "items": items, "minItems": 1}


def one_or_more(items: Schema) -> Schema:
    """One, or a list of them."""
    return {"anyOf": [items, list_of(items)]}


def condition(own: str, fields: Mapping[str, Sequence[Field]], named: Sequence[str], about: str) -> Schema:
    """A condition over these fields; `own` is the name of its definition. A name may stand for several fields."""
    inner = ref(own)
    properties: dict[str, Schema] = {"all": list_of(inner), "any": list_of(inner), "not": inner}
    names = list(fields)
    for name, each in fields.items():
        tests = [test(field, names) for field in each]
        schema = tests[0] if len(tests) == 1 else {"anyOf": tests}
        properties[name] = {"description": each[0].about, **schema}
    forms: list[Schema] = [map_of(properties, minProperties=1)]
    if named:
        forms.insert(0, {"enum": list(named)})
    return {"description": about, "anyOf": forms}


def test(field: Field, names: Sequence[str]) -> Schema:
    """What may stand behind a field: a word, a value, a list, or operators of its type."""
    operators = operators_of(field.type)
    forms: list[Schema] = [{"enum": ["blank", "present"]}, value(field)]
    if field.type in PLAIN_LIST:
        forms.append(list_of(value(field)))
    tests = {name: _described(operator, field, names) for name, operator in operators.items()}
    forms.append(map_of({**tests, "if_blank": _YES}, minProperties=1))
    return {"anyOf": forms}


def value(field: Field) -> Schema:
    """A literal of the field's type, or a setting."""
    if field.type in NUMERIC:
        return _NUMBER
    if field.type in TEMPORAL:
        return _DATE
    if field.type is FieldType.YES_NO:
        return {"anyOf": [_YES, SETTING]}
    return {"anyOf": [{"enum": list(field.values)}, SETTING]} if field.values else SCALAR


def _described(operator: Operator, field: Field, names: Sequence[str]) -> Schema:
    return {"description": operator.meaning, **_operand(operator, field, names)}


def _operand(operator: Operator, field: Field, names: Sequence[str]) -> Schema:
    other = map_of({"field": {"enum": list(names)}, "times": _NUMBER, "plus": SCALAR}, required=["field"])
    match operator.takes:
        case Takes.VALUE | Takes.DATE:
            return {"anyOf": [value(field), other]}
        case Takes.VALUES:
            return {"anyOf": [list_of({"anyOf": [value(field), other]}), value(field)]}
        case Takes.COUNT:
            return {"type": ["integer", "string"], "pattern": r"^(\$.+|\d+)$"}
        case Takes.RANGE:
            ends = {"anyOf": [value(field), other]}
            return {"anyOf": [{"type": "array", "items": ends, "minItems": 2, "maxItems": 2}, SETTING]}
        case Takes.LENGTH:
            return LENGTH
        case Takes.PERIOD:
            return {"anyOf": [{"enum": list(PERIODS)}, SETTING]}
        case Takes.FIELD_PERIOD:
            period = {"enum": list(PERIOD_UNITS)}
            return map_of({"field": {"enum": list(names)}, "period": period}, required=["field", "period"])
        case Takes.END:
            return map_of(dict.fromkeys(PERIOD_UNITS, LENGTH), minProperties=1, maxProperties=1)
