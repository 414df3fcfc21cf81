"""`kill -9`: the process dies anywhere in a run or an undo, and the next one ends as if it had not.

The CRM is the Salesforce sandbox in this process, and pipelint a process of its own. It is killed at one of its
requests, counted from the first; the CRM then has done what was asked, or has not.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelint.engine.project import Project, open_project
from pipelint.engine.provision import setup
from pipelint.engine.run import push, run
from pipelint.engine.runs import runs
from pipelint.engine.undo import undo
from pipelint.sandbox.faults import Fault
from pipelint.sandbox.salesforce import SalesforceSandbox

from .salesforce_org import make_project

OWN = (
    "Pipelint_Flags__c",
    "Pipelint_Severity__c",
    "Pipelint_Summary__c",
    "Pipelint_Details__c",
    "Pipelint_Hygiene__c",
    "Pipelint_Flagged_Since__c",
)
State = dict[str, dict[str, object]]


@dataclass
class Org:
    """The organisation, the project, and the process that is about to die."""

    folder: Path
    sandbox: SalesforceSandbox
    deals: list[str]
    process: subprocess.Popen[bytes] | None = None
    kill_at: int = 0
    done: bool = True
    asked: int = 0
    ill: bool = False
    before: State = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    """How many requests a command makes that nobody disturbs."""

    @property
    def project(self) -> Project:
        return open_project(self.folder)

    def strike(self, method: str, path: str) -> Fault | None:
        """In the place of the sandbox's scripted faults."""
        if self.process is None:
            return None
        self.asked += 1
        if self.asked != self.kill_at:
            return None
        os.kill(self.process.pid, signal.SIGKILL)
        return None if self.done else Fault("drop")

    def killed(self, *command: str, at: int, done: bool) -> int:
        """Run a command that is to die at one of its requests; how many it made."""
        self.kill_at, self.done, self.asked = at, done, 0
        words = [sys.executable, "-m", "pipelint", "--project", str(self.folder), *command]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, told = self.process.communicate()
        code, self.process = self.process.returncode, None
        assert code == (-signal.SIGKILL if at else 0), told.decode()
        return self.asked

    def moment(self, command: str, share: float) -> int:
        """The request, counted from 1, that lies at a share of the work."""
        return 1 + int(share * self.requests[command])

    def latest(self) -> str:
        """The id of the latest run."""
        with self.project.cache() as cache:
            return runs(cache, limit=1)[0].id

    def change(self) -> None:
        """Colleagues make every deal ill, or cure it."""
        self.ill = not self.ill
        for number, deal in enumerate(self.deals):
            self.sandbox.org.update("Opportunity", deal, {"Amount": None if self.ill else 1000 + number})

    def begin(self) -> None:
        """Remember what the CRM holds, and forget what it was asked."""
        self.before = self.holds()
        self.sandbox.requests.clear()

    def holds(self) -> State:
        """Our fields as they are stored."""
        store = self.sandbox.org.store
        rows = store.find_all(store.schema["Opportunity"])
        return {str(row["Id"]): {name: row[name] for name in OWN} for row in rows}

    def is_true(self) -> bool:
        """Whether every deal shows what its amount demands."""
        flags = "amount-missing" if self.ill else None
        held = [self.holds()[deal] for deal in self.deals]
        return all(
            one["Pipelint_Flags__c"] == flags
            and one["Pipelint_Severity__c"] in ({"error"} if self.ill else {"clean", None})
            for one in held
        )

    def nothing_was_written_twice(self) -> None:
        """Replay what the CRM did: no value was sent that it held already, and nothing else changed it."""
        state = {deal: dict(fields) for deal, fields in self.before.items()}
        for request in self.sandbox.requests:
            if request.method == "PATCH" and request.status == 200:
                for record in json.loads(request.body)["records"]:
                    _apply(state[record["id"]], record)
        assert state == self.holds()


def _apply(held: dict[str, object], sent: Mapping[str, object]) -> None:
    for name in OWN:
        if name in sent:
            assert sent[name] != held[name], f"{name} of {sent['id']} is {held[name]!r} already"
            held[name] = sent[name]


@contextmanager
def an_org(folder: Path, deals: int) -> Iterator[Org]:
    """All deals are ill, and their flags are written."""
    with pytest.MonkeyPatch.context() as patch, SalesforceSandbox(size=0) as sandbox:
        patch.setenv("SF_CLIENT_ID", sandbox.client_id)
        patch.setenv("SF_CLIENT_SECRET", sandbox.client_secret)
        usual = {"StageName": "Prospecting", "CloseDate": "2099-01-31", "Amount": 1}
        ids = [sandbox.org.create("Opportunity", {**usual, "Name": f"Deal {n}"}) for n in range(deals)]
        make_project(folder, sandbox.base_url, "{mode: on, max_share: 100%}")
        made = Org(folder, sandbox, ids)
        list(setup(made.project, apply=True))
        patch.setattr(sandbox.faults, "for_request", made.strike)
        made.change()
        run(made.project)
        made.change()
        made.requests["run"] = made.killed("run", at=0, done=True)
        latest = made.latest()
        made.requests["undo"] = made.killed("undo", latest, "--yes", at=0, done=True)
        push(made.project, resume=True)
        yield made


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with an_org(tmp_path_factory.mktemp("killed"), deals=12) as made:
        yield made


@pytest.fixture(scope="module")
def large_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    """With more deals than Salesforce takes in one request."""
    with an_org(tmp_path_factory.mktemp("killed"), deals=205) as made:
        yield made


def moments(count: int, seed: int) -> list[tuple[float, bool]]:
    """Where in the work, as a share of its requests, and whether the CRM has done what was asked last.

    Half of them lie in the last quarter, where it writes.
    """
    chance = random.Random(seed)  # noqa: S311 - the same moments in every run
    return [
        (chance.uniform(0.75 if number % 2 else 0.0, 1.0), chance.random() < 0.5) for number in range(count)
    ]


def check_killed_run(org: Org, share: float, done: bool) -> None:
    org.change()
    org.begin()
    org.killed("run", at=org.moment("run", share), done=done)
    run(org.project)
    assert org.is_true()
    org.nothing_was_written_twice()


def check_killed_undo(org: Org, share: float, done: bool) -> None:
    org.change()
    earlier = org.holds()
    taken_back = run(org.project).run
    org.begin()
    org.killed("undo", taken_back, "--yes", at=org.moment("undo", share), done=done)
    begun = org.holds() != org.before
    assert (run(org.project).connections["acme"].held_by is not None) or not begun
    undo(org.project, taken_back)
    assert org.holds() == earlier
    org.nothing_was_written_twice()
    push(org.project, resume=True)
    assert org.is_true()


@pytest.mark.parametrize(("share", "done"), moments(8, seed=1))
def test_a_killed_run_is_continued_by_the_next(org: Org, share: float, done: bool) -> None:
    check_killed_run(org, share, done)


@pytest.mark.parametrize(("share", "done"), moments(4, seed=2))
def test_a_killed_undo_is_finished_by_another(org: Org, share: float, done: bool) -> None:
    check_killed_undo(org, share, done)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "done"), moments(30, seed=3))
def test_a_killed_run_of_several_batches_is_continued(large_org: Org, share: float, done: bool) -> None:
    check_killed_run(large_org, share, done)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "done"), moments(20, seed=4))
def test_a_killed_undo_of_several_batches_is_finished(large_org: Org, share: float, done: bool) -> None:
    check_killed_undo(large_org, share, done)
