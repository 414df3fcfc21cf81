"""`protect_rotting`: a deal that somebody should see turn red is not made to look fresh by a write of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipelint.connectors.base import Change, Outcome
from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.sandbox.pipedrive import PipedriveSandbox

from . import test_contract

Connect = Callable[..., PipedriveConnector]
DEAL = 1
STAGE = 3
TWENTY = {"is_deal_rot_enabled": True, "days_to_rotten": 20}


@pytest.fixture
def write(sandbox: PipedriveSandbox, connect: Connect) -> Callable[..., Outcome]:
    """Writes to a deal that was touched so many days ago, in a stage where deals rot after twenty."""
    connector = connect(sandbox, protect_rotting=True)
    for step in connector.plan_setup(test_contract.TestPipedrive.own):
        connector.apply_setup(step)
    sandbox.company.update("stages", STAGE, TWENTY)

    def write(days: float, **deal: Any) -> Outcome:
        sandbox.company.update("deals", DEAL, {"stage_id": STAGE, **deal})
        sandbox.clock.advance(timedelta(days=days))
        [outcome] = connector.write([Change("opportunity", str(DEAL), {"Pipelint hygiene": Decimal(40)})])
        return outcome

    return write


@pytest.mark.parametrize("days", [18, 20, 90])
def test_a_deal_that_is_rotten_or_will_be_within_two_days_is_left_alone(
    sandbox: PipedriveSandbox, write: Callable[..., Outcome], days: int
) -> None:
    outcome = write(days)
    assert (outcome.status, outcome.code, outcome.meant) == ("refused", "ROTTING", True)
    assert outcome.message.startswith("it rots on 2026-12-11, and a write would make it look fresh")
    assert not [it for it in sandbox.requests if it.method == "PATCH"], "not even tried"


@pytest.mark.parametrize(
    ("days", "deal"),
    [
        pytest.param(17.9, {}, id="touched lately"),
        pytest.param(90, {"stage_id": 2}, id="in a stage where none rots"),
        pytest.param(90, {"status": "lost"}, id="closed"),
    ],
)
def test_another_deal_is_written(write: Callable[..., Outcome], days: float, deal: Mapping[str, Any]) -> None:
    assert write(days, **deal).status == "written"


def test_it_is_written_once_somebody_has_touched_it(write: Callable[..., Outcome]) -> None:
    assert write(30).status == "refused"
    assert write(0, value=700).status == "written"


def test_without_the_setting_a_rotten_deal_is_written_like_any_other(
    sandbox: PipedriveSandbox, connect: Connect, write: Callable[..., Outcome]
) -> None:
    write(90)
    change = Change("opportunity", str(DEAL), {"Pipelint hygiene": Decimal(40)})
    assert [it.status for it in connect(sandbox).write([change])] == ["written"]
