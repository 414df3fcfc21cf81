"""`rules validate --with-cache`: what the data makes look odd about the rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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


def test_rules_that_the_data_makes_look_odd(
    command: Command, tmp_path: Path, snapshot: Callable[..., None]
) -> None:
    for name, text in {
        "pipelint.yaml": PROJECT,
        "rules/pack.yaml": RULES,
        "exports/opportunities.csv": ROWS,
        "exports/owners.csv": OWNERS,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert "flags" not in command("rules", "validate", "--with-cache").out  # nothing was pulled yet
    assert command("pull").code == ExitCode.OK
    answer = command("rules", "validate", "--with-cache")
    assert answer.code == ExitCode.OK
    snapshot(answer.out.rpartition("\n\n")[0])  # how many rules there are is told elsewhere
    assert "asleep" not in answer.out


def test_without_the_cache_the_data_is_not_looked_at(acme: Command) -> None:
    assert "Legal review" not in acme("rules", "validate").out
    assert 'stage "Legal review"' in acme("rules", "validate", "--with-cache").out
