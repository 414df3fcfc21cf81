"""Our fields in a company where people give fields other names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from pipelint.connectors.base import Change
from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.sandbox.pipedrive import PipedriveSandbox
from tests.connectors.pipedrive.test_contract import TestPipedrive


def test_a_field_of_ours_that_was_renamed_is_still_ours(
    sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector], tmp_path: Path
) -> None:
    connector = connect(sandbox, state=tmp_path)
    for step in connector.plan_setup(TestPipedrive.own):
        connector.apply_setup(step)
    list(connector.write([Change("opportunity", "1", {"Pipelint hygiene": Decimal(90)})]))
    field = sandbox.company.fields.by_name("deals", "Pipelint hygiene")
    sandbox.company.fields.change("deals", field["field_code"], {"field_name": "How clean it is"})
    sandbox.clock.advance(timedelta(days=2))
    later = connect(sandbox, state=tmp_path)
    assert {step.action for step in later.plan_setup(TestPipedrive.own)} == {"ready"}
    [outcome] = later.write([Change("opportunity", "1", {"Pipelint hygiene": Decimal(40)})])
    assert outcome.status == "written"
    [(_, values)] = later.read("opportunity", ["1"], ["Pipelint hygiene"])
    assert values == {"Pipelint hygiene": Decimal(40)}
