"""`rules validate --with-cache`: what the data makes look odd about the rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelint.errors import ExitCode
from tests.cli.conftest import OWNERS, PACK, PROJECT, Command

RULES = (
    PACK[: PACK.index("conditions:")]
    + """\
conditions:
  open: {stage_kind: open}
  committed: {forecast_category: commit}
rules:
  nearly-always: {title: a, flag_when: {amount: {at_least: 1}}, severity: info}
  never: {title: b, flag_when: {amount: {more_than: 1000000}}, severity: info}
  hardly-decided: {title: c, flag_when: {champion: Kim}, severity: info}
  hardly-asked: {title: d, applies_to: committed, flag_when: {amount: 1}, severity: info}
  small: {title: e, flag_when: {amount: {less_than: 6}}, severity: info}
  below-six: {title: f, flag_when: {amount: {at_most: 5}}, severity: info}
  asleep: {title: g, status: off, flag_when: {amount: present}, severity: info}
"""
)
ROWS = "id,name,amount,stage,close_date,forecast_category,champion,owner\n" + "".join(
    f"A{n},Deal {n},{n},{'Legal review' if n == 12 else 'Proposal'},2026-12-01,,{'Kim' if n == 7 else ''},kim\n"
    for n in range(1, 13)
)


def write(folder: Path, rules: str, rows: str) -> None:
    for name, text in {
        "pipelint.yaml": PROJECT,
        "rules/pack.yaml": rules,
        "exports/opportunities.csv": rows,
        "exports/owners.csv": OWNERS,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_rules_that_the_data_makes_look_odd(
    command: Command, tmp_path: Path, snapshot: Callable[..., None]
) -> None:
    write(tmp_path, RULES, ROWS)
    assert "flags" not in command("rules", "validate", "--with-cache").out  # nothing was pulled yet
    assert command("pull").code == ExitCode.OK
    answer = command("rules", "validate", "--with-cache")
    assert answer.code == ExitCode.OK
    snapshot(answer.out.rpartition("\n\n")[0])  # how many rules there are is told elsewhere
    assert "asleep" not in answer.out


SCOPES = """\
conditions:
  watched: {champion: Kim}
  first: {amount: {at_most: 9}}
  rest: {amount: {at_least: 9}}
rules:
"""
HUNDRED = "id,name,amount,stage,close_date,champion\n" + "".join(
    f"A{n},Deal {n},{n},Proposal,2026-12-01,{'Kim' if n % 2 else ''}\n" for n in range(1, 101)
)


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (
            "flag_when: {amount: {less_than: 21}}",
            "flag_when: {amount: {less_than: 11}}",
            "other flags 10 records, all of them among the 20 of one (rules/pack.yaml:30:3)",
        ),
        (
            "flag_when: {amount: {less_than: 11}}",
            "flag_when: {amount: {at_most: 10}}",
            "other flags the same 10 records as one (rules/pack.yaml:30:3)",
        ),
        ("flag_when: {amount: {less_than: 21}}", "hides: [one], flag_when: {amount: {less_than: 11}}", ""),
        # Five of a hundred lie inside a half now and then by chance, and four are too few to tell anything.
        ("flag_when: {amount: {less_than: 51}}", "flag_when: {amount: {less_than: 6}}", ""),
        ("flag_when: {amount: {less_than: 6}}", "flag_when: {amount: {less_than: 5}}", ""),
        (
            "flag_when: {amount: {at_most: 50}}",
            "flag_when: {amount: {at_least: 51}}",
            "other contradicts one (rules/pack.yaml:30:3):"
            " one of them flags each of the 100 records that both ask about, and never both",
        ),
        ("flag_when: {amount: {at_most: 50}}", "flag_when: {amount: {at_least: 52}}", ""),
        ("flag_when: {amount: {at_most: 51}}", "flag_when: {amount: {at_least: 51}}", ""),
        (
            "applies_to: watched, flag_when: {amount: {at_most: 50}}",
            "flag_when: {amount: {between: [50, 99]}}",
            "one of them flags each of the 50 records that both ask about",
        ),
        (
            "applies_to: first, flag_when: {champion: Kim}",
            "applies_to: rest, flag_when: {champion: Kim}",
            "",
        ),
        (
            "flag_when: {amount: {at_most: 50}}",
            "flag_when: {amount: {more_than: 50}}",
            "other contradicts one (rules/pack.yaml:30:3): what one leaves clean the other flags",
        ),
    ],
)
def test_rules_that_say_the_same_or_the_opposite(
    command: Command, tmp_path: Path, one: str, other: str, told: str
) -> None:
    rules = "".join(
        f"  {name}: {{title: t, severity: info, {keys}}}\n" for name, keys in (("one", one), ("other", other))
    )
    write(tmp_path, PACK[: PACK.index("conditions:")] + SCOPES + rules, HUNDRED)
    assert command("pull").code == ExitCode.OK
    said = command("rules", "validate", "--with-cache").out
    found = [
        line
        for line in said.splitlines()
        if "among the" in line or " as one " in line or "contradicts" in line
    ]
    assert len(found) == (1 if told else 0), said
    assert told in "".join(found)


def test_without_the_cache_the_data_is_not_looked_at(acme: Command) -> None:
    assert "Legal review" not in acme("rules", "validate").out
    assert 'stage "Legal review"' in acme("rules", "validate", "--with-cache").out
