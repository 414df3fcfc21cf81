"""Rules of which one flags whatever another leaves clean: nobody can satisfy both."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Literal

from pipelint.rules.compile_condition import Inputs, Moment, compile_condition
from pipelint.rules.conditions import Condition
from pipelint.rules.ir import TRUE, And, Case, Coalesce, Compare, Constant, Expr, Not, Or
from pipelint.rules.optimise import simplify
from pipelint.rules.pack import Pack, Rule

_Op = Literal["=", "<>", "<", "<=", ">", ">="]
_OPPOSITE: dict[_Op, _Op] = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def contradictions(pack: Pack, moment: Moment) -> Iterator[tuple[Rule, Rule]]:
    """Pairs of live rules with one scope and opposite conditions, the one that is written later first.

    Any moment will do: the conditions are only compared with each other.
    """
    seen: dict[tuple[Hashable, ...], Rule] = {}
    for rule in pack.rules.values():
        condition = _only_condition(rule)
        if condition is None:
            continue
        scope = rule.checks[0].scope
        where = (rule.kind, rule.since, TRUE if scope is None else _key(_compiled(scope, moment)))
        flags = _compiled(condition, moment)
        if (other := seen.get((*where, _key(opposite(flags))))) is not None:
            yield rule, other
        seen.setdefault((*where, _key(flags)), rule)


def _only_condition(rule: Rule) -> Condition | None:
    """The condition of a live rule that asks the same of every record."""
    if rule.status in {"off", "retired"} or rule.built_in or len(rule.checks) != 1:
        return None
    branches = rule.checks[0].branches
    return branches[0].condition if len(branches) == 1 and branches[0].guard is None else None


def _compiled(condition: Condition, moment: Moment) -> Expr:
    return simplify(compile_condition(condition, Inputs(), moment))


def opposite(expr: Expr) -> Expr:
    """True where the expression is false and false where it is true, in the form that its writer would choose."""
    match expr:
        case Not(item):
            return item
        case And(items):
            return Or(tuple(map(opposite, items)))
        case Or(items):
            return And(tuple(map(opposite, items)))
        case Compare(op, left, right):
            return Compare(_OPPOSITE[op], left, right)
        case Coalesce(items):
            return Coalesce(tuple(map(opposite, items)))
        case Case(branches, otherwise):
            return Case(tuple((guard, opposite(value)) for guard, value in branches), opposite(otherwise))
        case Constant(value):
            return expr if value is None else Constant(not value)
        case _:
            return Not(expr)


def _key(expr: Expr) -> Hashable:
    """Equal for expressions that differ in the order of their parts only."""
    match expr:
        case And(items) | Or(items):
            return (type(expr).__name__, frozenset(map(_key, items)))
        case Not(Not() | And() | Or() | Compare() | Coalesce() | Case() as item):
            return _key(opposite(item))
        case _:
            return expr
