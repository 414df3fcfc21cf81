"""`rules/`: one page for each shipped rule, and their index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from docs.generator.introduced import since
from docs.generator.markdown import block, code, heading, page, sentence, table
from docs.generator.packs import PACKS, entries, shipped, shown, source, words_in
from pipelint.config.nodes import Map, Node
from pipelint.rules.calendar import Calendar
from pipelint.rules.compile_condition import Moment
from pipelint.rules.conditions import All, Condition, Negated, Test, fields_in
from pipelint.rules.explain import in_words
from pipelint.rules.fields import Field, Origin
from pipelint.rules.messages import Texts
from pipelint.rules.pack import Rule

GENERATED = {
    "stage-required": "A field that the record's stage, or an earlier one, lists under `required` is blank.",
    "stage-entry-unmet": "`to_enter` of the record's stage, or of an earlier one, does not hold.",
    "stage-exit-skipped": "`to_leave` of an earlier stage does not hold.",
    "stage-exit-open": "`to_leave` of the record's own stage does not hold yet: a to-do list.",
    "stage-age-limit": "The record has been in its stage for longer than the stage's `max_age`.",
    "unknown-value": "A stage or a choice of the record is not mapped in the rule files.",
    "currency-unknown": "The record's currency has no rate, so its amount cannot be told in the pack's currency.",
    "thin-evidence": (
        "A mandatory field holds a blank word, a placeholder or one character over and over; "
        "or all of them were filled within a minute of a stage change."
    ),
}
"""What the rules check that pipelint makes itself, from the stages of a pack or from the data."""

STATUS = {
    "on": "on: flagged, and written into the CRM",
    "report": "report: flagged, and never written",
    "trial": "trial: shown as a trial, and never written",
    "off": "off, until a project switches it on",
}
_ORIGINS = {
    "default": "The default pack",
    "six": "The six qualification questions",
    "bant": "Budget, authority, need, timing",
    "meddpicc": "MEDDPICC",
    "spiced": "SPICED",
    "builtin": "Rules that pipelint makes from your stages and data",
}
_LANGUAGES = {"en": "English", "fr": "French"}
_NO_MOMENT = Moment(Calendar(), datetime(2026, 11, 20, 10, tzinfo=UTC))  # phrases name it only in cut-offs


def rule_pages() -> Iterator[tuple[str, str]]:
    """The index and every page, by name."""
    rules = sorted(shipped().pack.rules.values(), key=lambda rule: rule.name)
    yield "index.md", _index(rules)
    for rule in rules:
        yield f"{rule.name}.md", _page(rule)


def _index(rules: Iterable[Rule]) -> str:
    parts = [
        "Every rule that comes with pipelint. `pipelint rules list` shows them as your project has them, your own "
        "rules included. How a rule is changed is said in [the rule language](../rule-language.md#overrides).",
    ]
    for origin in (*PACKS, "builtin"):
        words = _ORIGINS.get(origin, origin)
        words += "" if origin == "builtin" else f": `uses: [{origin}@1]`"
        rows = [
            (f"[{rule.name}]({rule.name}.md)", rule.title.say("en"), rule.severity, rule.status, _on(rule))
            for rule in rules
            if rule.origin == origin
        ]
        parts += [heading(words), table(("rule", "says", "severity", "status", "for"), rows)]
    return page("Shipped rules", *parts)


def _on(rule: Rule) -> str:
    return "opportunities" if rule.kind == "opportunity" else "leads"


def _page(rule: Rule) -> str:
    return page(
        rule.name,
        sentence(rule.title.say("en")),
        table(("", ""), _facts(rule)),
        heading("What it flags"),
        *_what(rule),
        heading("Why it matters"),
        rule.why.say("en") if rule.why else "",
        heading("What to do"),
        rule.fix.say("en") if rule.fix else "Nothing has to be done at once; it is a list of what is left.",
        heading("Messages"),
        table(("language", "message", "fix"), _messages(rule)),
        *_settings(rule),
        *_reads(rule),
        heading("Source"),
        *_source(rule),
    )


def _facts(rule: Rule) -> Iterator[tuple[str, str]]:
    raised = [level for check in rule.checks for each in check.branches for level, _ in each.raise_to]
    severity = rule.severity + "".join(f", {code('raise_to')} {level}" for level in dict.fromkeys(raised))
    yield "severity", severity
    yield "status", STATUS[rule.status]
    yield "for", _on(rule)
    pack = {"builtin": "pipelint itself; it needs no `uses`"}.get(rule.origin, f"`uses: [{rule.origin}@1]`")
    yield "pack", pack
    if rule.hides:
        yield "hides", ", ".join(_link(name) for name in rule.hides)
    hidden_by = [
        other.name
        for other in shipped().pack.rules.values()
        if any(hidden.partition("/")[0] == rule.name for hidden in other.hides)
    ]
    if hidden_by:
        yield "hidden by", ", ".join(_link(name) for name in sorted(hidden_by))
    yield "since", since(rule.name)


def _link(name: str) -> str:
    return f"[{name}]({name.partition('/')[0]}.md)"


def _messages(rule: Rule) -> Iterator[tuple[str, str, str]]:
    for letters, language in _LANGUAGES.items():
        yield language, _text(rule.message, letters), _text(rule.fix, letters)


def _text(texts: Texts | None, language: str) -> str:
    return texts.by_language.get(language, "") if texts else ""


# What it checks


def _what(rule: Rule) -> Iterator[str]:
    if rule.name in GENERATED:
        yield GENERATED[rule.name]
        if rule.name.startswith("stage-"):
            yield "It follows from [the stages of your pack](../rule-language.md#stages-and-pipelines)."
        return
    (check,) = rule.checks
    if check.scope is not None:
        yield "It looks at records for which this holds:"
        yield "\n".join(_bullets(check.scope))
    last = check.branches[-1]
    if last.condition is not None:
        yield "It flags a record when:"
        yield "\n".join(_bullets(last.condition))
    for level, condition in last.raise_to:
        yield f"The severity is {level} while:"
        yield "\n".join(_bullets(condition))


def _bullets(condition: Condition, depth: int = 0) -> Iterator[str]:
    start = "  " * depth + "- "
    if isinstance(condition, Test):
        yield start + _phrase(condition)
    elif isinstance(condition, Negated):
        yield start + "it is not so that:"
        yield from _bullets(condition.item, depth + 1)
    elif isinstance(condition, All) and depth == 0:
        for item in condition.items:
            yield from _bullets(item, depth)
    else:
        yield start + ("all of:" if isinstance(condition, All) else "at least one of:")
        for item in condition.items:
            yield from _bullets(item, depth + 1)


def _phrase(test: Test) -> str:
    words = re.sub(r" \(cut-off [^)]*\)", "", in_words(test, _NO_MOMENT))
    blank = "" if test.if_blank is None else f" (blank counts as {'yes' if test.if_blank else 'no'})"
    return f"{code(test.field.name)} {words}{blank}"


# What it can be told, and what it needs


def _settings(rule: Rule) -> Iterator[str]:
    node = _node(rule)
    settings, groups = node.get("settings"), node.get("per_stage_group")
    yield heading("Settings")
    if not isinstance(settings, Map):
        yield "It has none. Severity, status and message can be changed:"
        change = {"on": "status: report", "report": "status: on"}.get(rule.status, "status: on")
        yield _override(rule, change)
        return
    rows = [(code(key.value), code(shown(value))) for key, value in settings.entries]
    yield table(("setting", "value"), rows)
    if isinstance(groups, Map):
        rows = [(key.value, code(shown(value))) for key, value in groups.entries]
        yield "In a stage group these values hold instead:"
        yield table(("stage group", "values"), rows)
    yield "To change one, write another value in a rule file of your project:"
    key, value = settings.entries[0]
    yield _override(rule, f"settings: {{{key.value}: {shown(value)}}}")


def _override(rule: Rule, change: str) -> str:
    uses = "" if rule.origin == "builtin" else f"uses: [{rule.origin}@1]\n"
    return block(f"{uses}overrides:\n  {rule.name}: {{{change}}}", "yaml override")


def _reads(rule: Rule) -> Iterator[str]:
    if rule.name in GENERATED:
        return
    read: dict[str, Field] = {}
    for condition in _conditions(rule):
        read |= {field.name: field for field in fields_in(condition)}
    yield heading("What it reads")
    yield (
        "Where a connection does not deliver one of these, the rule *could not check* and says so. "
        "Built-in facts are explained in [the rule language](../rule-language.md#built-in-facts)."
    )
    yield table(
        ("name", "type", "what it is"),
        [(code(name), field.type.value, _about(field)) for name, field in sorted(read.items())],
    )


def _about(field: Field) -> str:
    made = " (a fact)" if field.origin is Origin.FACT else ""
    return f"{field.about}{made}"


def _conditions(rule: Rule) -> Iterator[Condition]:
    for check in rule.checks:
        if check.scope is not None:
            yield check.scope
        for branch in check.branches:
            yield from (each for each in (branch.guard, branch.condition) if each is not None)
            yield from (each for _, each in branch.raise_to)


def _node(rule: Rule) -> Map:
    node = shipped().sections.named["rules"][rule.name].node
    if not isinstance(node, Map):
        raise TypeError(rule.name)
    return node


def _source(rule: Rule) -> Iterator[str]:
    if rule.origin == "builtin":
        yield "Its texts as they are shipped; what it checks is worked out from your pack."
    else:
        yield "The rule as it is shipped, with the names that it uses."
    used = _used(_node(rule))
    parts = [
        "\n".join([f"{section}:", *(source(section, name) for name in sorted(names))])
        for section, names in used.items()
        if names
    ]
    parts.append("rules:\n" + source("rules", rule.name))
    yield block("\n\n".join(parts), "yaml texts" if rule.origin == "builtin" else "yaml shipped")


def _used(node: Node) -> dict[str, set[str]]:
    """The names that a definition uses, by section, and those that they use; what is built in apart."""
    found: dict[str, set[str]] = {"fields": set(), "conditions": set(), "facts": set()}
    open_ = [node]
    while open_:
        names = {re.sub(r"^\{|\}$", "", word) for word in words_in(open_.pop())}
        for section, taken in found.items():
            known = entries(section)
            for name in (names & known.keys()) - taken:
                if known[name].origin != "builtin":
                    taken.add(name)
                    open_.append(known[name].node)
    return found
