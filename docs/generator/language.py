"""`rule-language.md`: the reference of the rule files, out of the tables that read and compile them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Final

from docs.generator.markdown import code, heading, page, sentence, table
from docs.generator.packs import shipped, source
from docs.generator.rules import GENERATED
from pipelint.connectors.salesforce import streams
from pipelint.connectors.salesforce.sobject import SObject
from pipelint.rules import (
    read_facts,
    read_fields,
    read_rules,
    read_score_lines,
    read_scores,
    read_settings,
    read_stages,
)
from pipelint.rules.calendar import PERIODS, UNITS, Length
from pipelint.rules.catalogue import CANONICAL, ENTITIES, Entity, RecordKind
from pipelint.rules.fields import TEMPORAL, Field, FieldType, Origin
from pipelint.rules.messages import FORMATS
from pipelint.rules.operators import (
    EXAMPLE_NOW,
    EXAMPLE_ORDER,
    OPERATORS,
    PLAIN_LIST,
    PLAIN_VALUE,
    Example,
    Operator,
)
from pipelint.rules.sections import LATER, NAMED, SINGLE

_TEXTS: Final = Path(__file__).parent / "texts"

SECTIONS: Final = {
    "pack": "the name, the calendar and the languages",
    "uses": "the shipped packs: `[default@1, six@1]`",
    "overrides": "what the project changes about rules of used packs",
    "fields": "names for fields of the CRM, and where they are",
    "crm_fields": "other names for the fields that pipelint writes",
    "roles": "the CRM's words for contact roles",
    "activity_types": "the CRM's words for types of activity",
    "forecast_categories": "the CRM's words for forecast categories",
    "currency": "the currency of the pack",
    "stages": "the stages of the company, in order",
    "pipelines": "the CRM's stages on that ladder, and what each stage asks for",
    "facts": "numbers, dates and words worked out from related rows or other fields",
    "conditions": "conditions with a name",
    "segments": "an ordered list of named conditions that rules may vary by",
    "rules": "the rules",
    "scores": "numbers that sum up how good a record is",
    "tests": "records with the flags that they must get",
}
"""The meaning of every section; one that is not supported yet is left out of the page."""

KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "pack": {
        "name": "the pack's name in reports",
        "title": "a longer name",
        "time_zone": "the zone that decides when a day begins, such as `Europe/Paris`; UTC unless it is said",
        "fiscal_year_starts": "the month in which quarters and years begin; January",
        "week_starts": "the first day of the week; Monday",
        "working_days": "the days that business days count; Monday to Friday",
        "working_hours": "the hours that working hours count, as `09:00-18:00`",
        "holidays": "days off, as `2026-12-25`",
        "languages": "the languages of messages; the first one is written into the CRM",
        "blank_words": "text that counts as empty, such as `[tbd, n/a]`",
        "activities_count": (
            "whose activities count for an opportunity: `direct` (its own), `contacts` (also those of its "
            "contacts; the default) or `account` (also those of its account)"
        ),
        "show_at_most": "how many flags the details in the CRM show; 5",
    },
    "field": {
        "label": "what the field is, in words",
        "type": "one of the types below; a standard name has one already",
        "for": "`opportunity` (the default) or `lead`",
        "from": "where it is: the API name by CRM or connection",
        "unmapped": "`blank`: a connection that `from` does not name has no such field, and it counts as empty there",
        "values": "the words of a choice: a list, or our word and the CRM's: `{price: {from: {salesforce: Price}}}`",
    },
    "stage": {
        "name": "the stage's name in rules and messages",
        "kind": "`open`, `won` or `lost`",
        "group": "`early`, `mid` or `late`; for open stages",
        "label": "what people call it",
    },
    "pipeline": {
        "from": "the CRM's pipelines that this one stands for; without it, all that no other one names",
        "stages": "the stages of this pipeline, with the keys below",
        "ignore": "`yes` leaves the CRM's pipeline out of everything",
        "label": "what people call it",
    },
    "stage of a pipeline": {
        "from": "the CRM's stages that this one stands for",
        "required": "fields that must be filled from this stage on, while the opportunity is open",
        "to_enter": "a condition that must hold in this stage and in every later open one",
        "to_leave": "a condition that must hold in every later open stage: the to-do list of this one",
        "max_age": "how long an opportunity may stay here, in days, business days, weeks, months …",
        "severity": "of what follows from this stage",
        "settings": "settings of rules for the records in this stage: `{rule: {setting: value}}`",
    },
    "fact": {
        "count": "how many related rows there are",
        "count_distinct": "how many different values a field of theirs has",
        "sum": "the sum of a number of theirs",
        "latest": "their latest date",
        "earliest": "their earliest date",
        "last": "the value on the newest row",
        "first": "the value on the oldest row",
        "sum_days": "the days `from` one date `to` another, added up over the rows",
        "filled": "how many of these fields of the record are filled",
        "difference": "one number minus another, or the days between two dates; `today` may be one",
        "ratio": "one number divided by another; blank when the other is 0",
        "where": "which related rows count; `record.x` is the field x of the record itself",
        "from": "with `sum_days`: the first date",
        "to": "with `sum_days`: the second date",
        "for": "`opportunity` (the default) or `lead`",
        "label": "what the fact is, in words",
        "replaces_builtin": "`yes` lets the fact take a built-in fact's name",
    },
    "rule": {
        "title": "what is wrong, in a few words",
        "for": "`opportunity` (the default) or `lead`",
        "applies_to": "the name of a condition, or a list of names; the rule looks at records for which all hold",
        "flag_when": "the bad case: a condition. A rule has this or `require`",
        "require": "the good case: the rule flags when it does not hold",
        "severity": "`error`, `warning` or `info`",
        "message": "what was found; one text, or one per language",
        "settings": "values that conditions use as `$name`, so that overrides can change them",
        "raise_to": "a higher severity while a condition holds: `{error: {…}}`",
        "per_stage_group": "other settings or severity in early, mid or late stages, or `off`",
        "per_segment": "the same, by segment",
        "hides": "rules, or items of rules, that need not be told where this one is flagged",
        "grace": "a length in days for which a flag may wait",
        "since": "a day: only records created from it on",
        "status": "`on`, `report` (never written), `trial` (shown as a trial), `off` or `retired`",
        "fix": "what to do",
        "why": "why it matters",
        "playbook": "a link to read on",
        "formerly": "earlier names of the rule",
        "replaced_by": "with `retired`: the rule that took its place",
        "owner": "who looks after the rule",
    },
    "override": {
        "settings": "other values for settings",
        "severity": "another severity",
        "status": "another status",
        "message": "another message",
        "per_segment": "changes by segment",
    },
    "score": {
        "for": "`opportunity` (the default) or `lead`",
        "applies_to": "the name of a condition, or a list of names; only records for which all hold have the score",
        "categories": "the parts of the score, each with a `max` and, if it may cost points, a `min`",
        "points": "the items that give points, as a list",
        "cap": "what the total cannot exceed while a condition holds: `{when: {…}, at: 50, because: …}`",
        "grades": "letters by the lowest total of each: `{A: 75, B: 55, C: 0}`",
        "status": "`on`, `report` (never written) or `off`",
    },
    "item of a score": {
        "name": "what `explain` calls it, and what is named when it is not known",
        "category": "the category that it counts for",
        "points": "how much it gives; negative points cost",
        "when": "a condition: all points or none",
        "first_match": "a list of `{when: {…}, points: …}`: the first that holds decides",
        "for_each": "related rows, each of which gives the points",
        "where": "with `for_each`: which rows count",
        "max": "with `for_each`: where the sum stops",
        "fades_over": "with `for_each`: a length in days; a row gives less each day, and nothing after it",
        "because": "the reason that people read; takes `{field}` like a message",
    },
}
"""The meaning of every key, by what it is a key of."""

KNOWN: Final[Mapping[str, Sequence[str]]] = {
    "pack": read_settings._KEYS,  # noqa: SLF001 - the reader's own list, so that none is forgotten here
    "field": read_fields._KEYS,  # noqa: SLF001
    "stage": read_stages._STAGE_KEYS,  # noqa: SLF001
    "pipeline": read_stages._PIPELINE_KEYS,  # noqa: SLF001
    "stage of a pipeline": read_stages._MEMBER_KEYS,  # noqa: SLF001
    "fact": read_facts._KEYS,  # noqa: SLF001
    "rule": read_rules.KEYS,
    "override": read_rules.OVERRIDE_KEYS,
    "score": read_scores._KEYS,  # noqa: SLF001
    "item of a score": read_score_lines._ITEM_KEYS,  # noqa: SLF001
}
"""The keys that the readers know."""

_OBJECTS: Final[Mapping[RecordKind, SObject]] = {"opportunity": streams.OPPORTUNITY, "lead": streams.LEAD}
_ROWS: Final[Mapping[str, tuple[SObject, ...]]] = {
    "activities": (streams.TASK, streams.EVENT),
    "contact_roles": (streams.CONTACT_ROLE,),
}
_GROUPS: Final = (
    ("text and choice", frozenset({FieldType.TEXT, FieldType.CHOICE})),
    ("ordered choice", frozenset({FieldType.ORDERED})),
    ("number, money and days", frozenset({FieldType.NUMBER, FieldType.MONEY, FieldType.DAYS})),
    ("date, and date and time", TEMPORAL),
    ("yes / no", frozenset({FieldType.YES_NO})),
    ("choices", frozenset({FieldType.CHOICES})),
)


def language_page() -> str:
    """The page: texts from `texts/`, in the order of their names, with the tables filled in."""
    tables = {
        "sections": _sections(),
        **{f"keys of {name}": _keys(name) for name in KEYS},
        "types": _types(),
        "opportunity fields": _fields("opportunity"),
        "lead fields": _fields("lead"),
        "related rows": "\n\n".join(_related()),
        "built-in facts": _built_in(),
        "operators": "\n\n".join(_operators()),
        "lengths": _lengths(),
        "periods": ", ".join(map(code, PERIODS)),
        "generated rules": _generated(),
        "formats": ", ".join(code(each) for each in FORMATS),
        "later": ", ".join(code(name) for name in sorted(LATER)),
        "now": EXAMPLE_NOW,
        "order": " → ".join(map(code, EXAMPLE_ORDER)),
    }
    used: set[str] = set()

    def filled(found: re.Match[str]) -> str:
        used.add(found[1])
        return tables[found[1]]

    parts = [
        re.sub(r"<<(.+?)>>", filled, path.read_text(encoding="utf-8")) for path in sorted(_TEXTS.glob("*.md"))
    ]
    if forgotten := tables.keys() - used:
        raise LookupError(f"no text of docs/generator/texts shows {', '.join(sorted(forgotten))}")
    return page("The rule language", *parts)


def _sections() -> str:
    known = [name for name in (*SINGLE, *NAMED, *SECTIONS) if name not in LATER]
    rows = _described("section", SECTIONS, known)
    return table(("section", "holds"), rows)


def _keys(name: str) -> str:
    return table(("key", "meaning"), _described(f"key of {name}", KEYS[name], KNOWN[name]))


def _described(what: str, said: Mapping[str, str], known: Iterable[str]) -> list[tuple[str, str]]:
    """What is known, in the order of the descriptions; nothing may be without one."""
    known = set(known)
    if forgotten := known - said.keys():
        raise LookupError(
            f"docs/generator/language.py does not describe: {what} {', '.join(sorted(forgotten))}"
        )
    return [(code(name), sentence(about)) for name, about in said.items() if name in known]


def _types() -> str:
    words = {type_: word for word, type_ in read_fields.TYPES.items()}
    rows = [
        (type_.value, code(words[type_]) if type_ in words else "only standard fields", _plain(type_))
        for type_ in FieldType
    ]
    return table(("type", "written in `fields:`", "a plain value or list means"), rows)


def _plain(type_: FieldType) -> str:
    value, several = PLAIN_VALUE[type_], PLAIN_LIST.get(type_)
    return code(value) + (f", {code(several)}" if several else "; no list")


def _fields(kind: RecordKind) -> str:
    rows = [
        (code(field.name), field.type.value, sentence(field.about), _source(field, kind))
        for field in CANONICAL[kind]
    ]
    return table(("name", "type", "meaning", "in Salesforce"), rows)


def _source(field: Field, kind: RecordKind) -> str:
    match field.origin:
        case Origin.STAGE:
            return "through `pipelines:`"
        case Origin.CUSTOM:
            return "through `fields:`"
        case Origin.ACCOUNT:
            return _api(streams.ACCOUNT, field.source)
        case Origin.OWNER:
            return _api(streams.USER, field.source)
        case _:
            return _api(_OBJECTS[kind], field.source, elsewhere=_ELSEWHERE.get(field.name, "not delivered"))


_ELSEWHERE: Final = {
    "stage_probability": "the stage's `DefaultProbability`",
    "lost_reason": "through `fields:`",
}


def _api(sobject: SObject, name: str, *, elsewhere: str = "not delivered") -> str:
    found = sobject.fields.get(name)
    return ", ".join(code(f"{sobject.name}.{api}") for api in found.api) if found and found.api else elsewhere


def _related() -> Iterator[str]:
    for entity in ENTITIES.values():
        kinds = " and ".join({"opportunity": "opportunities", "lead": "leads"}[kind] for kind in entity.kinds)
        yield heading(entity.name, 3)
        yield f"For {kinds}." + (f" In the order of {code(entity.time)}." if entity.time else "")
        yield table(("field", "type", "meaning", "in Salesforce"), _rows(entity))


def _rows(entity: Entity) -> Iterator[tuple[str, str, str, str]]:
    for field in entity.fields:
        sources = [_api(sobject, field.name, elsewhere="") for sobject in _ROWS.get(entity.name, ())]
        worked_out = {"stage_changes": "opportunity history", "line_items": "opportunity products"}
        where = "; ".join(filter(None, sources)) or worked_out.get(entity.name, "worked out")
        yield code(field.name), field.type.value, sentence(field.about), where


def _built_in() -> str:
    entries = shipped().sections.named["facts"]
    known = shipped().pack.known
    rows = []
    for name, entry in entries.items():
        if entry.origin == "builtin":
            field = known["opportunity"].get(name) or known["lead"][name]
            lines = dedent(source("facts", name)).splitlines()[1:]
            made = " ".join(line.strip() for line in lines if not line.strip().startswith("label:"))
            kinds = [kind for kind in ("opportunity", "lead") if name in known[kind]]
            rows.append((code(name), field.type.value, sentence(field.about), ", ".join(kinds), code(made)))
    exits = known["opportunity"]["open_exit_criteria"]
    rows.append(
        (
            code(exits.name),
            exits.type.value,
            sentence(exits.about),
            "opportunity",
            "from `to_leave` of the stages",
        )
    )
    return table(("fact", "type", "meaning", "for", "defined as"), rows)


def _operators() -> Iterator[str]:
    for words, types in _GROUPS:
        rows = [
            (code(each.name), each.takes.value, each.meaning, *_examples(each))
            for each in OPERATORS
            if each.types & types
        ]
        yield heading(words[0].upper() + words[1:], 3)
        yield table(("operator", "takes", "true when", "holds", "does not hold"), rows)


def _examples(operator: Operator) -> tuple[str, str]:
    return _example(operator, operator.true), _example(operator, operator.false)


def _example(operator: Operator, example: Example) -> str:
    beside = f", other: {code(example.other)}" if example.other else ""
    return f"{code(example.value)}{beside} with {code(f'{{{operator.name}: {example.operand}}}')}"


def _lengths() -> str:
    clock = [unit for unit in UNITS if Length(2, unit).is_clock]
    calendar = [unit for unit in UNITS if unit not in clock]
    fixed = [unit for unit in UNITS if Length(2, unit).fixed]
    return (
        f"- Calendar lengths compare whole local days: {', '.join(map(code, calendar))}.\n"
        f"- Clock lengths compare instants: {', '.join(map(code, clock))}. A plain date cannot take them.\n"
        f"- Behind `plus` only {', '.join(map(code, fixed))} can stand: they are equally long for every record."
    )


def _generated() -> str:
    rules = shipped().pack.rules
    rows = [
        (f"[{name}](rules/{name}.md)", about, rules[name].severity, rules[name].status)
        for name, about in GENERATED.items()
    ]
    return table(("rule", "flagged when", "severity", "status"), rows)
