"""A large Salesforce org: pulled whole, pulled again after some changes, and written back to.

    python benchmarks/salesforce.py [OPPORTUNITIES]

The org is the sandbox in a process of its own, so that memory is that of pipelint alone; it should depend on the
size of a page, not on that of the org. Seconds are those of both processes together.

One run with 200,000 opportunities, on two cores that others kept busy (5,238,631 records in the org):

    pulled whole                  5,238,631 records    890.7 s    5,881 records/s   2,563 requests   peak 171 MB
    pulled after 1,000 changed        1,984 records      9.7 s      205 records/s      62 requests   peak 171 MB
    written back                      5,000 records     12.7 s      393 records/s       9 requests   peak 171 MB

A pull of 3,000 opportunities (79,264 records) peaks at 101 MB.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import requests

from pipelint.connectors.base import Change
from pipelint.engine.commands import pull_all
from pipelint.engine.project import Project, open_project
from pipelint.engine.provision import setup
from pipelint.engine.pull import PullResult

CHANGED, WRITTEN, COLLECTION = 1_000, 5_000, 200
FIELD = "Pipelint_Hygiene__c"

PROJECT = """\
pipelint: 1
rules: rules/
cache: cache.db
connections:
  org:
    crm: salesforce
    base_url: {url}
    auth: {{flow: access_token, token: "${{file:token}}"}}
    stop_at: 100%
"""

PACK = """\
pipelint: 1
pack: {name: benchmark, time_zone: Europe/Paris}
rules:
  amount-missing:
    {title: The amount is missing, flag_when: {amount: blank}, severity: error, message: No amount., fix: Enter one.}
"""


@contextmanager
def org(size: int) -> Iterator[str]:
    """The address of a sandbox with so many opportunities."""
    command = [sys.executable, "-m", "pipelint", "sandbox", "salesforce", "--port", "0", "--size", str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None, "the sandbox did not start"
            yield found.group()
        finally:
            process.terminate()


def token(url: str, username: str) -> str:
    answer = requests.post(f"{url}/_sandbox/token", json={"username": username}, timeout=60)
    return str(answer.json()["access_token"])


def change(url: str, ids: list[str]) -> None:
    """Edit opportunities as a colleague."""
    headers = {"Authorization": f"Bearer {token(url, 'colleague@sandbox.example')}"}
    for start in range(0, len(ids), COLLECTION):
        some = ids[start : start + COLLECTION]
        records = [{"attributes": {"type": "Opportunity"}, "id": it, "NextStep": "Changed"} for it in some]
        body = json.dumps({"allOrNone": False, "records": records})
        path = f"{url}/services/data/v68.0/composite/sobjects"
        content = {"Content-Type": "application/json"}
        requests.patch(path, body, headers=headers | content, timeout=600).raise_for_status()


def pulled(project: Project) -> PullResult:
    [result] = pull_all(project)
    if result.error:
        raise result.error
    return result


def written(project: Project) -> tuple[Counter[str], int]:
    """Outcomes and requests of so many changes."""
    connection = project.file.connections["org"]
    with project.cache() as cache:
        rows = cache.db.execute(
            "SELECT id, account FROM opportunity WHERE is_open AND amount > 0 ORDER BY id LIMIT ?", [WRITTEN]
        ).fetchall()
    changes = [Change("opportunity", id_, {FIELD: Decimal(50)}, account or "") for id_, account in rows]
    with project.connect(connection) as connector:
        outcomes = Counter(outcome.status for outcome in connector.write(changes))
        return Counter({str(status): count for status, count in outcomes.items()}), connector.api_calls


def report(what: str, records: int, begun: float, requests_: int) -> None:
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what:<34} {records:>10,} records {seconds:>8.1f} s {records / seconds:>8,.0f} records/s"
        f" {requests_:>7,} requests   peak {peak:,.0f} MB",
        flush=True,
    )


def main(size: int = 200_000) -> None:
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, org(size) as url:
        print(f"an org of {size:,} opportunities, made in {time.perf_counter() - begun:.0f} s", flush=True)
        folder = Path(name)
        (folder / "rules").mkdir()
        (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
        (folder / "pipelint.yaml").write_text(PROJECT.format(url=url), encoding="utf-8")
        (folder / "token").write_text(token(url, "integration@sandbox.example"), encoding="utf-8")
        project = open_project(folder)
        begun = time.perf_counter()
        whole = pulled(project)
        report("pulled whole", whole.stored, begun, whole.api_calls)
        for each in whole.streams:
            print(
                f"    {each.stream.value:<24} {each.stored:>10,} {each.seconds:>8.1f} s {each.api_calls:>6,}"
            )
        with project.cache() as cache:
            rows = cache.db.execute("SELECT id FROM opportunity WHERE is_open ORDER BY id LIMIT ?", [CHANGED])
            ids = [row[0] for row in rows]
        change(url, ids)
        begun = time.perf_counter()
        again = pulled(project)
        report(f"pulled after {len(ids):,} were changed", again.stored, begun, again.api_calls)
        list(setup(project, apply=True))
        begun = time.perf_counter()
        outcomes, calls = written(project)
        report(f"written back ({dict(outcomes)})", outcomes.total(), begun, calls)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
