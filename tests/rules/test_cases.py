"""The rule language by example: every case of `cases/*.yaml`, in three ways that must agree with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipelint.config.nodes import List, Map, Node, Problems, Text, read_text
from pipelint.rules.condition_reader import read_condition
from pipelint.rules.conditions import Condition
from pipelint.rules.pack import Pack
from tests.rules.ground import Asked, Given, ask, given_of, pack_of, scope_of

FOLDER = Path(__file__).parent / "cases"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
ANSWERS = {"yes": True, "no": False, "unknown": None}


@dataclass
class Table:
    """The cases of one file: each has a record and a condition of the same number."""

    pack: Pack
    names: list[str] = field(default_factory=list)
    givens: list[Given] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    expected: list[bool | None] = field(default_factory=list)
    rejected: list[tuple[str, str, list[str]]] = field(default_factory=list)
    """Name, the message that must come, and those that came."""
    as_of: datetime = datetime(2026, 11, 20, 10, tzinfo=ZoneInfo("UTC"))


def text_of(node: Node | None) -> str:
    assert isinstance(node, Text), f"{node} is no text"
    return node.value


@cache
def table(name: str) -> Table:
    problems = Problems()
    root = read_text((FOLDER / name).read_text(encoding="utf-8"), name, problems)
    assert isinstance(root, Map), problems.found
    problems.raise_if_any()
    pack, found = pack_of(text_of(root.get("pack")))
    assert pack is not None, found.found
    zone = ZoneInfo(pack.settings.calendar.zone)
    made = Table(pack, as_of=datetime.fromisoformat(text_of(root.get("as_of"))).replace(tzinfo=zone))
    cases = root.get("cases")
    assert isinstance(cases, List)
    for case in cases.items:
        assert isinstance(case, List), f"{name}:{case.place.line}: a case is a list"
        assert 3 <= len(case.items) <= 4, f"{name}:{case.place.line}: [name, record, condition, answer]"
        called = f"{name}:{case.place.line} {text_of(case.items[0])}"
        if len(case.items) == 3:
            mistakes = Problems()
            read_condition(case.items[1], scope_of(pack), mistakes)
            made.rejected.append((called, text_of(case.items[2]), [p.what for p in mistakes.found]))
            continue
        _, record, condition, answer = case.items
        assert isinstance(record, Map), called
        checked = read_condition(condition, scope_of(pack), problems)
        assert checked is not None, (called, [p.what for p in problems.found])
        made.names.append(called)
        made.givens.append(given_of(pack, f"{len(made.givens):04}", record))
        made.conditions.append(checked)
        made.expected.append(ANSWERS[text_of(answer)])
    return made


@cache
def asked(name: str) -> Asked:
    made = table(name)
    return ask(made.pack, made.givens, made.conditions, made.as_of)


def test_there_are_at_least_300_cases() -> None:
    assert sum(len(table(name).names) + len(table(name).rejected) for name in FILES) >= 300


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("way", ["reference", "python", "sqlite"])
def test_every_case_comes_out_as_it_says(name: str, way: str) -> None:
    made = table(name)
    answers = getattr(asked(name), way)
    wrong = [
        f"{called}: expected {expected}, {way} says {answers[n][n]}"
        for n, (called, expected) in enumerate(zip(made.names, made.expected, strict=True))
        if answers[n][n] is not expected
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", FILES)
def test_every_condition_means_the_same_on_every_record(name: str) -> None:
    """The whole table crossed: each condition is asked of the records of all other cases too."""
    made, found = table(name), asked(name)
    wrong = [
        f"{made.names[c]} asked of the record of {made.names[r]}: "
        f"reference {found.reference[r][c]}, python {found.python[r][c]}, sqlite {found.sqlite[r][c]}"
        for r in range(len(made.givens))
        for c in range(len(made.conditions))
        if not found.reference[r][c] is found.python[r][c] is found.sqlite[r][c]
    ]
    assert not wrong, f"{len(wrong)} disagree\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("name", FILES)
def test_a_rejected_condition_says_why_and_says_it_once(name: str) -> None:
    wrong = [(called, said) for called, expected, said in table(name).rejected if said != [expected]]
    assert not wrong
