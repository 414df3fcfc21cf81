"""Message templates: `{field}` and `{field:format}`, checked when read, filled per record (rules.md §4.7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pipelint.config.nodes import Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.rules.fields import NUMERIC, TEMPORAL, Field, FieldType
from pipelint.rules.ir import SCALE, SEPARATOR

FORMATS = ("money", "date", "ago", "percent")
_SLOT = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
_EPOCH = date(1970, 1, 1)
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
}
_BLANK = {"en": "(blank)", "fr": "(vide)", "de": "(leer)"}
_DAYS = {"en": ("day", "days"), "fr": ("jour", "jours"), "de": ("Tag", "Tage")}
_SINCE = {"en": "since", "fr": "depuis le", "de": "seit dem"}
_SIGNS = {"en": ",.", "fr": "\u202f,", "de": ".,"}
"""What stands between thousands, and before decimals."""
_YES_NO = {"en": ("no", "yes"), "fr": ("non", "oui"), "de": ("nein", "ja")}


@dataclass(frozen=True, slots=True)
class Texts:
    """One text per language, the pack's first language first."""

    by_language: Mapping[str, str]

    def say(self, language: str) -> str:
        return self.by_language.get(language) or next(iter(self.by_language.values()), "")


def read_texts(node: Node | None, problems: Problems, languages: tuple[str, ...]) -> Texts | None:
    """One text, or one per language."""
    if node is None:
        return None
    if isinstance(node, Text) and not node.is_empty:
        return Texts({languages[0]: node.value})
    if isinstance(node, Map) and node.entries:
        found: dict[str, str] = {}
        for key, value in node.entries:
            if not isinstance(value, Text) or value.is_empty:
                problems.error(
                    value.place, f"{kind_of(value)} stands where the text in '{key.value}' is expected"
                )
            elif not re.fullmatch(r"[a-z]{2}", key.value):
                problems.error(
                    key.place, f"'{key.value}' is not a language", "write its two letters, e.g. en"
                )
            else:
                found[key.value] = value.value
        return Texts(found) if found else None
    problems.error(
        node.place, f"{kind_of(node)} stands where a text is expected", "one text, or one per language"
    )
    return None


def check_slots(
    node: Node | None, names: Mapping[str, Field], problems: Problems, broken: Collection[str] = ()
) -> frozenset[str]:
    """The fields that a text names; an unknown one, or a format that its type does not have, is reported."""
    used: set[str] = set()
    parts = (
        [node] if isinstance(node, Text) else [v for _, v in node.entries] if isinstance(node, Map) else []
    )
    for part in parts:
        if not isinstance(part, Text):
            continue
        rest = _SLOT.sub("", part.value)
        if rest.count("{") != rest.count("}"):
            alone, other = ("{", "}") if rest.count("{") > rest.count("}") else ("}", "{")
            hint = "a field's value is written {name} or {name:format}"
            problems.error(part.place, f"the message has a '{alone}' without its '{other}'", hint)
        for found in _SLOT.finditer(part.value):
            name, form = found[1], found[2]
            if name == "items" or name in broken:
                continue
            field = names.get(name)
            if field is None:
                near = did_you_mean(name, names)
                hint = near.replace("'", "{", 1).replace("'", "}", 1) if near else ""
                problems.error(part.place, f"the message uses {{{name}}}, which is no field or fact", hint)
                continue
            used.add(name)
            if form is not None and not _fits(form, field):
                hint = did_you_mean(form, FORMATS) or f"known are: {', '.join(FORMATS)}"
                problems.error(part.place, f"{{{name}:{form}}}: {name} cannot be shown so", hint)
    return frozenset(used)


def _fits(form: str, field: Field) -> bool:
    if form in {"date", "ago"}:
        return field.type in TEMPORAL
    return form in {"money", "percent"} and field.type in NUMERIC


@dataclass(frozen=True, slots=True)
class Reader:
    """Shows the values of one prepared record in one language; `today` makes ages out of dates for a terminal."""

    row: Mapping[str, int | str | None]
    fields: Mapping[str, Field]
    language: str = "en"
    today: int | None = None
    currency: str = ""

    def fill(self, template: str, items: str = "") -> str:
        """The template with every slot replaced."""
        return _SLOT.sub(lambda m: items if m[1] == "items" else self.value(m[1], m[2] or ""), template)

    def known(self, name: str) -> str:
        """The value as people read it; nothing where the record has none."""
        field = self.fields.get(name)
        return "" if field is None or self.row.get(field.main.name) is None else self.value(name)

    def value(self, name: str, form: str = "") -> str:
        """One field's value as people read it."""
        field = self.fields[name]
        if field.counts_from:
            return self._age(self.fields[field.counts_from])
        raw = self.row.get(field.main.name)
        if raw is None:
            return _BLANK.get(self.language, _BLANK["en"])
        show: dict[FieldType, Callable[[Field, int | str, str], str]] = {
            FieldType.ORDERED: lambda f, r, _: f.values[int(r) - 1],
            FieldType.YES_NO: lambda _, r, __: _YES_NO.get(self.language, _YES_NO["en"])[int(r)],
            FieldType.CHOICES: lambda _, r, __: ", ".join(str(r).strip(SEPARATOR).split(SEPARATOR)),
        }
        if field.type in show:
            return show[field.type](field, raw, form)
        if field.type in TEMPORAL:
            return self._day(int(self.row.get(field.column("day").name) or 0), form)
        if field.type in NUMERIC:
            return self._number(int(raw), "money" if field.type is FieldType.MONEY else form)
        return str(raw)

    def _age(self, start: Field) -> str:
        day = self.row.get(start.column("day").name)
        if day is None:
            return _BLANK.get(self.language, _BLANK["en"])
        if self.today is not None:
            count = self.today - int(day)
            return f"{count} {_DAYS.get(self.language, _DAYS['en'])[count != 1]}"
        return f"{_SINCE.get(self.language, _SINCE['en'])} {self._day(int(day), '')}"

    def _day(self, day: int, form: str) -> str:
        if form == "ago" and self.today is not None:
            return _ago(self.today - day, self.language)
        when = _EPOCH + timedelta(days=day)
        return f"{when.day} {_MONTHS.get(self.language, _MONTHS['en'])[when.month - 1]} {when.year}"

    def _number(self, value: int, form: str) -> str:
        number = Decimal(value) / SCALE
        if form == "money":
            text = self._signed(f"{number:,.2f}".removesuffix(".00"))
            return f"{text} {self.currency}".strip()
        text = self._signed(f"{number.normalize():f}")
        if form == "percent":
            return f"{text}\u202f%" if self.language in {"fr", "de"} else f"{text}%"
        return text

    def _signed(self, english: str) -> str:
        """A number with the signs of the language."""
        return english.translate(str.maketrans(",.", _SIGNS.get(self.language, _SIGNS["en"])))


def _ago(days: int, language: str) -> str:
    if language == "fr":
        return "aujourd’hui" if days == 0 else f"il y a {days} j" if days > 0 else f"dans {-days} j"
    if language == "de":
        return "heute" if days == 0 else f"vor {days} T." if days > 0 else f"in {-days} T."
    if days == 0:
        return "today"
    unit = "day" if abs(days) == 1 else "days"
    return f"{days} {unit} ago" if days > 0 else f"in {-days} {unit}"


def slots(template: str) -> frozenset[str]:
    """The fields that a template shows."""
    return frozenset(found[1] for found in _SLOT.finditer(template)) - {"items"}
