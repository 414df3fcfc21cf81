"""Whether an expression can ever be true, whatever the record: some rules cannot on a connection that lacks data."""

from __future__ import annotations

from pipelint.rules.ir import And, Case, Coalesce, Constant, Expr, Or


def can_be_true(expr: Expr) -> bool:
    """False only where it is certain; an expression whose inputs decide may be true."""
    match expr:
        case Constant(value=value):
            return bool(value)
        case And(items=items):
            return all(can_be_true(item) for item in items)
        case Or(items=items) | Coalesce(items=items):
            return any(can_be_true(item) for item in items)
        case Case(branches=branches, otherwise=otherwise):
            return can_be_true(otherwise) or any(
                can_be_true(guard) and can_be_true(value) for guard, value in branches
            )
        case _:
            return True
