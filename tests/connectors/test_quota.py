"""The reserve of API calls kept for others."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelint.connectors.quota import Allowance, ReserveReached
from pipelint.errors import QuotaExhausted


def test_nothing_is_refused_before_anything_is_known() -> None:
    Allowance("tomorrow").ask()


@pytest.mark.parametrize(("used", "stops"), [(0, False), (79, False), (80, True), (100, True), (120, True)])
def test_the_reserve_is_kept(used: int, stops: bool) -> None:
    allowance = Allowance("calls come free at midnight")
    allowance.report(used, 100)
    if not stops:
        allowance.ask()
        return
    with pytest.raises(ReserveReached) as caught:
        allowance.ask()
    assert isinstance(caught.value, QuotaExhausted)
    assert (caught.value.used, caught.value.allowed, caught.value.stop_at) == (used, 100, Decimal("0.8"))
    assert "20%" in caught.value.message
    assert "midnight" in caught.value.hint


def test_all_of_it_may_be_used_if_so_set() -> None:
    allowance = Allowance("tomorrow", stop_at=Decimal(1))
    allowance.report(99, 100)
    allowance.ask()
