"""Would a test notice? Changes one operator, bound, null rule or severity at a time and runs the rule tests.

Run by hand: `python tests/mutation.py [word of a mutant]`. Works on a copy, and ends with 1 if a mutant survives.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = (
    "test_cases.py",
    "test_emitters.py",
    "test_optimise.py",
    "test_meaning.py",
    "test_verdicts.py",
    "test_calendar.py",
)
CC, CV, LB, CO, CF, OP = (
    f"pipelint/rules/{name}.py"
    for name in ("compile_condition", "compile_values", "lower_bound", "compile", "compile_fact", "optimise")
)
SQL, PY, KL, TX, LA = (
    f"pipelint/rules/{name}.py" for name in ("emit/sqlite", "emit/python", "kleene", "text", "lacking")
)

MUTANTS: tuple[tuple[str, str, str], ...] = (
    (CV, '"at_least": ">="', '"at_least": ">"'),
    (CV, '"more_than": ">"', '"more_than": ">="'),
    (CV, '"at_most": "<="', '"at_most": "<"'),
    (CV, '"less_than": "<"', '"less_than": "<="'),
    (CV, '"is_not": "<>"', '"is_not": "="'),
    (CV, '_compare_number("<=", value, high)', '_compare_number("<", value, high)'),
    (CV, '_compare_number(">=", value, low)', '_compare_number(">", value, low)'),
    (CC, 'return Compare("<", value, bound)', 'return Compare("<=", value, bound)'),
    (CC, 'return Compare(">", value, bound)', 'return Compare(">=", value, bound)'),
    (CC, 'And((Compare(">=", value, bound)', 'And((Compare(">", value, bound)'),
    (CC, 'And((Compare("<=", value, bound)', 'And((Compare("<", value, bound)'),
    (CC, 'Compare("<=", exact, now)', 'Compare("<", exact, now)'),
    (CC, 'Compare(">=", exact, now)', 'Compare(">", exact, now)'),
    (CC, 'Compare("<", last_day, Constant(operand.days))', 'Compare("<=", last_day, Constant(operand.days))'),
    (CC, 'Compare(">", test.field.column(unit), operand.field.column(unit))',
     'Compare(">=", test.field.column(unit), operand.field.column(unit))'),
    (CC, 'Constant(test.if_blank)', 'Constant(not test.if_blank)'),
    (CC, 'if field.name in self.inputs.unsynced:\n            return UNKNOWN', 'if False:\n            return UNKNOWN'),
    (CC, 'field.marker and (test.if_blank is not None or test.name in {"blank", "present"})', 'False'),
    (CC, 'Constant(operand.direction * plus.size)', 'Constant(plus.size)'),
    (CV, 'Position(value, _folded(first)), Constant(1)', 'Position(value, _folded(first)), Constant(2)'),
    (CV, 'Compare("<", Length(', 'Compare("<=", Length('),
    (CV, 'test.field.column("size"), Constant', 'test.field.column("size"), Constant'.replace("size", "set")),
    (CV, 'return Compare(">=", value, _place(first))', 'return Compare(">", value, _place(first))'),
    (CV, 'case "includes_any":\n            return Or(hits)', 'case "includes_any":\n            return And(hits)'),
    (CV, 'return Not(Or(hits))', 'return Not(And(hits))'),
    (CC, 'return Case(lacking, expr) if lacking else expr', 'return expr'),
    (CC, 'return Case(((expr, TRUE),), FALSE)', 'return expr'),
    (LB, 'return Case(((row_seen, exact),), UNKNOWN)', 'return exact'),
    (LB, 'decided = Case(((exact, TRUE),), UNKNOWN)', 'decided = exact'),
    (LB, 'decided = Case(((Not(exact), FALSE),), UNKNOWN)', 'decided = exact'),
    (LB, 'name in {"is_not", "none_of"}', 'name in {"is", "one_of"}'),
    (LB, 'case "latest" | "last":', 'case "latest" | "last" | "earliest" | "first":'),
    (LB, 'case "count" | "count_distinct" | "greatest":', 'case "count" | "count_distinct" | "greatest" | "sum":'),
    (CF, '"latest": "max", "earliest": "min"', '"latest": "min", "earliest": "max"'),
    (CF, 'Aggregate("count", where), SCALE, 0', 'Aggregate("count", where), SCALE, None'),
    (CF, 'Arithmetic("-", form.end.column("day"), form.start.column("day"))',
     'Arithmetic("-", form.start.column("day"), form.end.column("day"))'),
    (CF, 'return max(starts, default=None)', 'return min(starts, default=None)'),
    (CO, '"warning": 2, "error": 3', '"warning": 3, "error": 2'),
    (CO, 'if SEVERITY_NUMBER[severity] > base', 'if SEVERITY_NUMBER[severity] < base'),
    (CO, 'Case(((lacking([check.scope], self.inputs), UNKNOWN),), FALSE)', 'FALSE'),
    (CO, 'Case(((lacking([check.scope], self.inputs), UNKNOWN),), FALSE)', 'UNKNOWN'),
    (CO, 'And((scope, flagged))', 'Or((scope, flagged))'),
    (LA, 'if field.marker:\n', 'if False:\n'),
    (LA, 'return TRUE', 'return FALSE'),
    (OP, 'if None in values:\n        return UNKNOWN', 'if False:\n        return UNKNOWN'),
    (OP, 'if item != neutral', 'if item not in (neutral, UNKNOWN)'),
    (OP, 'return decisive if decisive in kept', 'return neutral if decisive in kept'),
    (SQL, '"(NOT {expression(expr.item)})"', '"({expression(expr.item)} IS NOT 1)"'),
    (SQL, 'IS NULL)', 'IS NOT NULL)'),
    (SQL, "known=\"1\", unknown=\"0\"", "known=\"0\", unknown=\"1\""),
    (PY, 'return cast("Value", max(_in_time(found)', 'return cast("Value", min(_in_time(found)'),
    (KL, 'return None if None in items else True', 'return None not in items'),
    (KL, 'return None if None in items else False', 'return False'),
    (KL, 'whole += 2 * rest >= abs(right)', 'whole += 2 * rest > abs(right)'),
    (TX, 'ROUND_HALF_UP) * SCALE', 'ROUND_DOWN) * SCALE'),
)  # fmt: skip


def survives(folder: Path, file: str, old: str, new: str) -> bool | None:
    """Whether all tests pass with this change; None where the text to change is not there."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    if old not in text:
        return None
    changed = text.replace(old, new, 1).replace(
        "ROUND_HALF_UP,", "ROUND_DOWN, ROUND_HALF_UP,", "ROUND_DOWN" in new
    )
    path.write_text(changed, encoding="utf-8")
    tests = [f"tests/rules/{name}" for name in TESTS if (folder / "tests" / "rules" / name).exists()]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, check=False, timeout=300
        )
        return done.returncode == 0
    finally:
        path.write_text(text, encoding="utf-8")


def main(word: str = "") -> int:
    survivors, missing, tried = [], [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ignore = shutil.ignore_patterns("__pycache__", ".hypothesis")
        for part in ("pipelint", "tests"):
            shutil.copytree(ROOT / part, folder / part, ignore=ignore)
        shutil.copy(ROOT / "pyproject.toml", folder)
        for file, old, new in MUTANTS:
            if word and word not in f"{file} {old}":
                continue
            outcome = survives(folder, file, old, new)
            tried += outcome is not None
            told = f"{file}: {old!r} → {new!r}"
            if outcome is None:
                missing.append(told)
            elif outcome:
                survivors.append(told)
            print({None: "absent  ", True: "SURVIVED", False: "killed  "}[outcome], told, flush=True)  # noqa: T201
    print(f"{tried} tried, {len(survivors)} survived, {len(missing)} no longer there")  # noqa: T201
    return 1 if survivors or missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
