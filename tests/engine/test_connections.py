"""Several connections in one project: what fails on one of them is its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import cast

import pytest
from pydantic import BaseModel

from pipelint.connectors.base import ConnectContext
from pipelint.engine.commands import pull_all
from pipelint.engine.own_fields import own_fields
from pipelint.engine.run import run
from pipelint.engine.runs import runs
from pipelint.errors import ExitCode, SignInRefused
from pipelint.render.run import render

from .conftest import PACK, Acme
from .fake_crm import FakeConnector, FakeCrm, FakePackage, set_up


@dataclass
class Two:
    """One project on two organisations; the one that comes first can be made to fail."""

    acme: Acme
    other: FakeCrm
    refuses_to_connect: bool = False


class Package(FakePackage):
    """Connects each name to an organisation of its own."""

    def __init__(self, two: Two) -> None:
        self.two = two

    def connect(self, name: str, settings: BaseModel, context: ConnectContext) -> FakeConnector:
        if name == "acme" and self.two.refuses_to_connect:
            raise SignInRefused("the token is not accepted", hint="give a new one")
        return FakeConnector(name, self.two.acme.crm if name == "acme" else self.two.other)


@pytest.fixture
def two(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> Two:
    made = Two(acme, FakeCrm())
    monkeypatch.setitem(sys.modules, "fake_crm_package", cast("ModuleType", Package(made)))
    (acme.folder / "pipelint.yaml").write_text(
        "pipelint: 1\nconnections: {acme: {crm: fake}, other: {crm: fake}}\nwrite_back: {mode: on}\n",
        encoding="utf-8",
    )
    pack = PACK.replace("{acme: new}", "{acme: new, other: new}").replace(
        "{acme: renewal}", "{acme: renewal, other: renewal}"
    )
    pack = pack.replace("{acme: open}", "{acme: open, other: open}").replace(
        "{acme: won}", "{acme: won, other: won}"
    )
    (acme.folder / "rules" / "pack.yaml").write_text(pack, encoding="utf-8")
    set_up(made.other, own_fields(acme.project.pack, "other", "fake", "opportunity"))
    for crm in (acme.crm, made.other):
        crm.deal("d1", amount=None)
    return made


def offline(two: Two) -> None:
    two.acme.crm.offline = True


def not_let_in(two: Two) -> None:
    two.refuses_to_connect = True


def over_a_limit(two: Two) -> None:
    for number in range(2, 6):
        two.acme.crm.deal(f"d{number}", amount=None)
    file = two.acme.folder / "pipelint.yaml"
    text = file.read_text(encoding="utf-8").replace("{mode: on}", "{mode: on, max_changes: 2}")
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("fails", "code"),
    [
        (offline, ExitCode.UNREACHABLE),
        (not_let_in, ExitCode.UNREACHABLE),
        (over_a_limit, ExitCode.INCOMPLETE),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_the_other_is_written_to_and_summary_and_code_say_what_failed(
    two: Two, fails: Callable[[Two], None], code: ExitCode, snapshot: Callable[..., None]
) -> None:
    fails(two)
    result = run(two.acme.project)
    assert [id_ for id_, _ in two.other.writes] == ["d1"]
    assert two.acme.crm.writes == []
    assert result.exit_code is code
    assert result.connections["other"].exit_code is ExitCode.OK
    with two.acme.project.cache() as cache:
        [row] = runs(cache)
    assert row.outcome == "stopped"
    snapshot(render(result, "text", dry_run=False))


@pytest.mark.parametrize("fails", [offline, not_let_in])
def test_the_other_is_pulled(two: Two, fails: Callable[[Two], None]) -> None:
    fails(two)
    acme, other = pull_all(two.acme.project)
    assert acme.error is not None
    assert (other.error, other.stored) == (None, 3)
