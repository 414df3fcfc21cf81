"""How fast we ask: half of the calls of two seconds are left to whoever shares the token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.connectors.pipedrive.endpoints import DEAL
from pipelint.sandbox.pipedrive import PipedriveSandbox
from tests.connectors.pipedrive.conftest import NOW

LIMIT = 20


def test_after_half_of_a_window_the_next_one_is_waited_for(
    small_company: Path, connect: Callable[..., PipedriveConnector], naps: list[float]
) -> None:
    with PipedriveSandbox(state=small_company, now=NOW, burst=LIMIT) as sandbox:
        client = connect(sandbox)._client
        for _ in range(LIMIT // 2):
            client.get(DEAL, name="a deal", id="1")
        assert naps == []
        client.get(DEAL, name="a deal", id="1")
        assert naps == [2.0]
        assert {it.status for it in sandbox.requests} == {200}
