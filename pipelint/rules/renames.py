"""Rules that are called otherwise today: renamed by `formerly:`, retired by `status: retired` (rules.md §4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean
from pipelint.rules.sections import Entry


def read_renames(section: Mapping[str, Entry], problems: Problems) -> dict[str, str]:
    """The rule that has taken the place of each name that is gone; '' where none has."""
    found: dict[str, str] = {}
    for name, entry in section.items():
        node = entry.node
        if not isinstance(node, Map):
            continue
        found |= {former: name for former in _words(node.get("formerly")) if former not in section}
        retired = "retired" in _words(node.get("status"))
        new = node.get("replaced_by")
        if isinstance(new, Text):
            _check(name, new, section, retired, problems)
        if retired:
            found[name] = new.value if isinstance(new, Text) else ""
    return found


def _words(node: Node | None) -> tuple[str, ...]:
    items = node.items if isinstance(node, List) else (node,)
    return tuple(item.value for item in items if isinstance(item, Text))


def _check(name: str, new: Text, section: Mapping[str, Entry], retired: bool, problems: Problems) -> None:
    if not retired:
        what = f"'{name}' is not retired, so nothing has taken its place"
        problems.error(new.place, what, "add status: retired, or leave 'replaced_by' out")
    elif new.value not in section:
        what = f"'{new.value}', which has taken the place of '{name}', is no rule"
        problems.error(new.place, what, did_you_mean(new.value, section))


def rule_hint(name: str, known: Iterable[str], renames: Mapping[str, str], otherwise: str = "") -> str:
    """What to write instead of a name that no rule has today."""
    if name in renames:
        return f"it is called '{renames[name]}' now" if renames[name] else "it is retired; leave it out"
    return did_you_mean(name, known) or otherwise
