"""What can be checked only when all rules are read: the names by which they refer to each other."""

from __future__ import annotations

from collections.abc import Mapping

from pipelint.config.nodes import Map, Problems, did_you_mean
from pipelint.rules.branches import Variants
from pipelint.rules.form import Form
from pipelint.rules.pack import Check, Rule
from pipelint.rules.renames import rule_hint
from pipelint.rules.sections import Entry


def check_items(
    rules: Mapping[str, Rule],
    overrides: Mapping[str, Form],
    generated: Mapping[str, tuple[Check, ...]],
    problems: Problems,
) -> None:
    """An override of `rule/item` names an item that the rule can have."""
    for name, form in overrides.items():
        rule, _, item = name.partition("/")
        items = [check.item for check in generated.get(rule, ()) if check.item]
        if item and rule in rules and item not in items:
            hint = did_you_mean(item, items) or f"it has: {', '.join(items) or 'none'}"
            place = form.name_place or form.place
            problems.error(place, f"{rule} cannot have the item '{item}'", hint)


def check_stage_settings(section: Mapping[str, Entry], variants: Variants, problems: Problems) -> None:
    """`settings:` of a stage name rules, and settings that those rules have."""
    for pipeline in variants.pipelines:
        for member in pipeline.stages:
            for rule, settings in member.settings.items():
                if rule not in section:
                    hint = did_you_mean(rule, section)
                    what = f"the stage '{member.stage.name}' has settings for '{rule}', which is no rule"
                    problems.error(member.place, what, hint)
                    continue
                node = section[rule].node
                own = node.get("settings") if isinstance(node, Map) else None
                known = own.names() if isinstance(own, Map) else ()
                for name in settings:
                    if name not in known:
                        hint = did_you_mean(name, known) or f"it has: {', '.join(known) or 'none'}"
                        problems.error(member.place, f"{rule} has no setting '{name}'", hint)


def check_hides(
    rules: Mapping[str, Rule], section: Mapping[str, Entry], renames: Mapping[str, str], problems: Problems
) -> None:
    """`hides` names rules that there are, and never in a circle."""
    seen: set[str] = set()
    for name, rule in rules.items():
        for hidden in rule.hides:
            other = hidden.partition("/")[0]
            if (
                other not in section or other in renames
            ) and not rule.origin:  # a shipped one may not be in use
                hint = rule_hint(other, section, renames, "see 'pipelint rules list'")
                problems.error(rule.place, f"'{name}' hides '{other}', which is no rule", hint)
        circle = _circle(name, rules)
        if circle and seen.isdisjoint(circle):
            seen.update(circle)
            problems.error(rule.place, f"rules hide each other in a circle: {' → '.join(circle)}")


def _circle(start: str, rules: Mapping[str, Rule]) -> list[str]:
    trail: list[str] = []

    def walk(name: str) -> bool:
        if name in trail:
            return name == start
        trail.append(name)
        rule = rules.get(name)
        if rule is not None and any(walk(other) for other in rule.hides if "/" not in other):
            return True
        trail.pop()
        return False

    return [*trail, start] if walk(start) else []
