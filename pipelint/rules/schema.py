"""The JSON Schema of a project's rule files, with its own fields, stages, words and rules (rules.md §2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelint.rules.catalogue import ENTITIES, ROWS_OF_RECORD, STAGE_GROUPS, RecordKind
from pipelint.rules.fields import Field, FieldType, Origin
from pipelint.rules.pack import SEVERITIES, STATUSES, Pack
from pipelint.rules.read_expectations import EXPECTED
from pipelint.rules.read_fields import TYPES
from pipelint.rules.schema_conditions import (
    LENGTH,
    SCALAR,
    Schema,
    condition,
    list_of,
    map_of,
    one_or_more,
    ref,
)
from pipelint.rules.sections import SHIPPED

KINDS: tuple[RecordKind, ...] = ("opportunity", "lead")
_TEXT: Schema = {"type": "string"}
_YES: Schema = {"enum": ["yes", "no", True, False]}
_TEXTS: Schema = {"anyOf": [_TEXT, {"type": "object", "additionalProperties": _TEXT}]}
_NAMES: Schema = one_or_more(SCALAR)
_FROM: Schema = {"type": "object", "additionalProperties": _NAMES}
_WORDS: Schema = {"type": "object", "additionalProperties": map_of({"from": _FROM})}
_SEVERITY: Schema = {"enum": list(SEVERITIES)}
_STATUS: Schema = {"anyOf": [{"enum": list(STATUSES)}, {"const": True}, {"const": False}]}
_FREE: Schema = {"type": "object"}
_ANY: Schema = {}
_FOR: Schema = {"enum": list(KINDS)}
_PACK = (
    "name", "title", "time_zone", "fiscal_year_starts", "week_starts", "working_days", "working_hours", "holidays",
    "languages", "blank_words", "activities_count", "show_at_most",
)  # fmt: skip
_OF_VALUES = ("count_distinct", "sum", "latest", "earliest", "last", "first", "greatest")


def schema_of(pack: Pack, conditions: Sequence[str]) -> Schema:
    """What an editor needs to complete and check the project's files; `conditions` are the named ones."""
    return _Maker(pack, conditions).document()


class _Maker:
    def __init__(self, pack: Pack, conditions: Sequence[str]) -> None:
        self.pack = pack
        self.conditions = conditions

    def document(self) -> Schema:
        named: dict[str, Schema] = {
            "fields": self.field(),
            "crm_fields": _FROM,
            "facts": self.fact(),
            "conditions": ref("condition"),
            "segments": ref("condition"),
            "rules": self.rule(),
            "overrides": self.override(),
            "scores": self.score(),
            "pipelines": self.pipeline(),
        }
        sections: dict[str, Schema] = {
            "pipelint": {"description": "The version of the format.", "enum": [1, "1"]},
            "pack": map_of(dict.fromkeys(_PACK, _ANY)),
            "uses": one_or_more({"enum": [f"{name}@1" for name in SHIPPED]}),
            "currency": _FREE,
            "stages": list_of(self.stage()),
            "tests": list_of(self.test()),
            "waivers": list_of(self.waiver()),
            **dict.fromkeys(("roles", "activity_types", "forecast_categories"), _WORDS),
            **{name: {"type": "object", "additionalProperties": each} for name, each in named.items()},
        }
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": f"Rule files of {self.pack.settings.name}",
            "$defs": self.definitions(),
            **map_of(sections, required=["pipelint"]),
        }

    def definitions(self) -> dict[str, Schema]:
        both: dict[str, list[Field]] = {}
        found: dict[str, Schema] = {}
        for kind in KINDS:
            fields = {name: [field] for name, field in self.pack.known[kind].items()}
            found[kind] = condition(kind, fields, self.conditions, f"A condition on a record ({kind}).")
            for name, field in self.pack.known[kind].items():
                both.setdefault(name, []).append(field)
        found["condition"] = condition("condition", both, self.conditions, "A condition on any record.")
        for entity in ENTITIES.values():
            rows = {field.name: _typed(field, self.pack) for field in entity.fields}
            rows |= {f"record.{name}": fields for name, fields in both.items()}
            about = f"A condition on {entity.name}; record.x is a field of the record they belong to."
            found[f"where_{entity.name}"] = condition(f"where_{entity.name}", rows, (), about)
        return found

    def rule(self) -> Schema:
        """The condition is over the fields of the kind that `for` names."""
        names = {"enum": list(self.conditions)} if self.conditions else _TEXT
        keys: dict[str, Schema] = {
            **dict.fromkeys(("title", "message", "fix", "why"), _TEXTS),
            **dict.fromkeys(("playbook", "owner", "since"), _TEXT),
            **dict.fromkeys(("hides", "formerly", "replaced_by"), _NAMES),
            "for": _FOR,
            "applies_to": one_or_more(names),
            "severity": _SEVERITY,
            "status": _STATUS,
            "settings": _FREE,
            "grace": LENGTH,
            "per_stage_group": map_of(dict.fromkeys(STAGE_GROUPS, self.change())),
            "per_segment": self.per_segment(),
            **dict.fromkeys(("flag_when", "require", "raise_to"), _ANY),
        }
        is_lead = {"properties": {"for": {"const": "lead"}}, "required": ["for"]}
        return {**map_of(keys), "if": is_lead, "then": _asking("lead"), "else": _asking("opportunity")}

    def override(self) -> Schema:
        return map_of(
            {
                "settings": _FREE,
                "severity": _SEVERITY,
                "status": _STATUS,
                "message": _TEXTS,
                "per_segment": self.per_segment(),
                **dict.fromkeys(("categories", "points", "cap", "grades"), _ANY),
            }
        )

    def per_segment(self) -> Schema:
        return map_of({name: self.change() for name, _ in self.pack.segments})

    def change(self) -> Schema:
        off = {"enum": ["off", False]}
        return {"anyOf": [off, {"type": "object", "properties": {"severity": _SEVERITY}}]}

    def fact(self) -> Schema:
        entities: Schema = {"enum": list(ENTITIES)}
        columns: Schema = {"enum": [f"{e.name}.{f.name}" for e in ENTITIES.values() for f in e.fields]}
        keys: dict[str, Schema] = {
            "count": entities,
            "sum_days": entities,
            **dict.fromkeys(_OF_VALUES, columns),
            **dict.fromkeys(("filled", "difference", "ratio"), list_of(_TEXT)),
            **dict.fromkeys(("from", "to"), _TEXT),
            "where": {},
            "for": _FOR,
            "label": _TEXTS,
            "replaces_builtin": _YES,
        }
        asking = [
            {
                "if": {
                    "anyOf": [
                        {
                            "properties": {key: {"type": "string", "pattern": rf"^{name}(\.|$)"}},
                            "required": [key],
                        }
                        for key in ("count", "sum_days", *_OF_VALUES)
                    ]
                },
                "then": {"properties": {"where": ref(f"where_{name}")}},
            }
            for name in ENTITIES
        ]
        return {**map_of(keys), "allOf": asking}

    def field(self) -> Schema:
        values = {"anyOf": [list_of(SCALAR), {"type": "object"}]}
        return map_of(
            {
                "label": _TEXT,
                "type": {"enum": list(TYPES)},
                "for": _FOR,
                "from": _FROM,
                "unmapped": {"const": "blank"},
                "values": values,
            }
        )

    def stage(self) -> Schema:
        keys = {
            "name": _TEXT,
            "kind": {"enum": ["open", "won", "lost"]},
            "group": {"enum": list(STAGE_GROUPS)},
            "label": _TEXTS,
        }
        return map_of(keys, required=["name", "kind"])

    def pipeline(self) -> Schema:
        known = list(self.pack.known["opportunity"])
        member = map_of(
            {
                "from": _FROM,
                "required": one_or_more({"enum": known}),
                "to_enter": ref("opportunity"),
                "to_leave": ref("opportunity"),
                "max_age": LENGTH,
                "severity": _SEVERITY,
                "settings": {"type": "object", "additionalProperties": _FREE},
            }
        )
        stages = map_of({stage.name: {"anyOf": [member, {"type": "null"}]} for stage in self.pack.stages})
        return map_of({"from": _FROM, "stages": stages, "ignore": _YES, "label": _TEXTS})

    def waiver(self) -> Schema:
        keys = {
            **dict.fromkeys(("rules", "opportunities", "leads"), _NAMES),
            "when": ref("condition"),
            **dict.fromkeys(("reason", "approved_by", "until"), _TEXT),
        }
        return map_of(keys, required=["rules", "reason", "approved_by", "until"])

    def score(self) -> Schema:
        item: dict[str, Schema] = {
            **dict.fromkeys(("name", "category"), _TEXT),
            **dict.fromkeys(("points", "max"), SCALAR),
            "when": ref("condition"),
            "first_match": list_of(map_of({"when": ref("condition"), "points": SCALAR, "because": _TEXTS})),
            "for_each": {"enum": list(ENTITIES)},
            "where": {"anyOf": [ref(f"where_{name}") for name in ENTITIES]},
            "fades_over": LENGTH,
            "because": _TEXTS,
        }
        cap = map_of({"when": ref("condition"), "at": SCALAR, "because": _TEXTS})
        return map_of(
            {
                "for": _FOR,
                "applies_to": _NAMES,
                "status": _STATUS,
                "categories": {
                    "type": "object",
                    "additionalProperties": map_of({"max": SCALAR, "min": SCALAR}),
                },
                "points": list_of(map_of(item)),
                "cap": list_of(cap),
                "grades": {"type": "object", "additionalProperties": SCALAR},
            }
        )

    def test(self) -> Schema:
        around = {name: self.rows(name) for name in ROWS_OF_RECORD} | {"flagged_since": _FREE}
        records = {kind: {"anyOf": [map_of(self.given(kind)), {"type": "null"}]} for kind in KINDS}
        several = map_of({"id": SCALAR, **self.given("opportunity"), **around}, required=["id"])
        keys = {"name": _TEXT, "as_of": _TEXT, **records, "opportunities": list_of(several), **around}
        expected = map_of(dict.fromkeys(EXPECTED, _ANY))
        expect = {"anyOf": [expected, {"type": "object", "additionalProperties": expected}]}
        return map_of({**keys, "expect": expect}, required=["name", "as_of", "expect"])

    def given(self, kind: RecordKind) -> dict[str, Schema]:
        made = {Origin.FACT, Origin.SCORE}
        known = self.pack.known[kind].values()
        return {each.name: {"description": each.about} for each in known if each.origin not in made}

    def rows(self, entity: str) -> Schema:
        row = map_of({field.name: {"description": field.about} for field in ENTITIES[entity].fields})
        late = map_of({"complete_since": _TEXT, "rows": {"type": "array", "items": row}})
        return {"anyOf": [{"const": "not synced"}, {"type": "array", "items": row}, late]}


def _asking(kind: RecordKind) -> Schema:
    raised = map_of(dict.fromkeys(SEVERITIES, ref(kind)))
    return {"properties": {"flag_when": ref(kind), "require": ref(kind), "raise_to": raised}}


def _typed(field: Field, pack: Pack) -> Sequence[Field]:
    """A column of a related row; a changed value has the type of any field, stages are the pack's own."""
    if field.name in {"old", "new"}:
        return [Field(field.name, type_, field.about) for type_ in FieldType]
    words: Mapping[str, Field] = pack.known["opportunity"]
    if field.name in {"from_stage", "to_stage"}:
        return [Field(field.name, field.type, field.about, values=words["stage"].values)]
    return [field]
