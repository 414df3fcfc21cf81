"""A large Pipedrive company: pulled whole, and again after some changes; tokens against the fewest possible.

    python benchmarks/pipedrive.py [DEALS] [PLAN] [SEATS]

The company is the sandbox in a process of its own, so that memory is that of pipelint alone; it should depend on
the size of a page, and beyond that only on what must be remembered of each deal that was asked for. Seconds are
those of both processes together. The clock stands and is moved on by a day where the share of a day is used up, so
the burst limit does not slow anything down.

The fewest tokens possible: every list once, 500 rows for a request; each open deal with several participants is a
request, and so are 100 open deals with products. We need more where a lead names an organization by its id alone
(100 names a request), and on each further day for what changed since.

One run with 100,000 deals on the plan Premium with 20 seats, of whose 3,000,000 tokens a day half are ours and up to
450,000 may be spent on single deals; on two cores that others kept busy (1,558,651 records in the company):

    pulled whole, day 1         1,461,398 records    857.6 s   46,541 requests   465,500 tokens   peak 99 MB
    pulled whole, day 2            97,253 records    204.3 s   21,639 requests   216,440 tokens   peak 105 MB
        all                                          681,940 tokens, fewest   681,570: 1.001
        participants of open deals                   653,780 tokens, fewest   653,780
    pulled after 1,000 changed      1,033 records      2.1 s        7 requests        90 tokens   peak 105 MB
        all                                               90 tokens, fewest        90: 1.000

A pull of 1,000 deals (15,865 records) peaks at 61 MB.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from math import ceil
from pathlib import Path

import requests

from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.client import PAGE_ROWS
from pipelint.connectors.pipedrive.connector import ORDER
from pipelint.connectors.pipedrive.endpoints import Endpoint
from pipelint.connectors.pipedrive.hanging import DEALS_A_CALL
from pipelint.engine.commands import pull_all
from pipelint.engine.project import Project, open_project
from pipelint.engine.pull import PullResult
from pipelint.errors import QuotaExhausted

DAY = timedelta(hours=25)
"""Until what was used in an hour is free again."""

CHANGED = 1_000

PROJECT = """\
pipelint: 1
rules: rules/
cache: cache.db
connections:
  company:
    crm: pipedrive
    base_url: {url}
    auth: {{token: "${{file:token}}"}}
    daily_tokens: {tokens}
"""

PACK = """\
pipelint: 1
pack: {name: benchmark, time_zone: Europe/Paris}
rules:
  amount-missing:
    {title: The amount is missing, flag_when: {amount: blank}, severity: error, message: No amount., fix: Enter one.}
"""

Requests = Mapping[Endpoint, int]


@contextmanager
def sandbox(size: int, plan: str, seats: int) -> Iterator[str]:
    """The address of a company with so many deals."""
    options = {"port": 0, "size": size, "plan": plan, "seats": seats}
    command = [sys.executable, "-m", "pipelint", "sandbox", "pipedrive"]
    command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None, "the sandbox did not start"
            yield found.group()
        finally:
            process.terminate()


@dataclass
class Company:
    """The sandbox as its steering sees it, and the project's clock, which goes with that of the sandbox."""

    url: str
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def steer(self, control: str, **document: object) -> dict[str, object]:
        answer = requests.post(f"{self.url}/_sandbox/{control}", json=document, timeout=600)
        answer.raise_for_status()
        return dict(answer.json())

    def advance(self, by: timedelta) -> None:
        self.now += by
        self.steer("clock", now=self.now.isoformat())

    def clock(self) -> datetime:
        return self.now

    def spent(self) -> Counter[str]:
        """Tokens by operation since the start."""
        by_operation = dict(self.steer("tokens")["by_operation"])  # type: ignore[call-overload]  # a JSON object
        return Counter({_operation(name): tokens for name, tokens in by_operation.items()})

    def archived(self, token: str) -> int:
        """How many deals are archived: the cache does not tell them from others."""
        count, mark = 0, ""
        while mark is not None:
            params = {"limit": str(PAGE_ROWS), **({"cursor": mark} if mark else {})}
            url, signed = self.url + e.ARCHIVED_DEALS.path, {"x-api-token": token}
            answer = requests.get(url, params, headers=signed, timeout=600).json()
            count += len(answer["data"])
            mark = answer["additional_data"]["next_cursor"]
        return count


def _operation(name: str) -> str:
    """As endpoints are written here: API v1 answers under two paths."""
    return re.sub(r"<\w+:(\w+)>", r"{\1}", name.replace(" /v1/", " /api/v1/"))


def pages(rows: int, of: int = PAGE_ROWS) -> int:
    """An empty list takes a request as well."""
    return max(ceil(rows / of), 1)


def fewest(project: Project, archived: int) -> Requests:
    """The fewest requests that can tell all that the cache holds."""
    with project.cache() as cache:

        def held(sql: str) -> int:
            [[number]] = cache.db.execute(f"SELECT count(*) FROM {sql}").fetchall()
            return int(number)

        return {
            **dict.fromkeys((e.USERS, e.PIPELINES, e.STAGES, e.DEAL_FIELDS, e.ORGANIZATION_FIELDS), 1),
            e.ORGANIZATIONS: pages(held("account")),
            e.PERSONS: pages(held("contact")),
            e.DEALS: pages(held("opportunity") - archived),
            e.ARCHIVED_DEALS: pages(archived),
            e.PARTICIPANTS: held(
                "(SELECT opportunity FROM contact_role JOIN opportunity o ON o.id = opportunity"
                " WHERE o.is_open GROUP BY 1 HAVING count(*) > 1)"
            ),
            e.DEAL_PRODUCTS: pages(held("(SELECT DISTINCT opportunity FROM line_item)"), DEALS_A_CALL),
            e.ACTIVITIES: pages(held("activity WHERE direction IS NULL")),  # e-mails come with their deals
            e.LEADS: pages(held("lead WHERE is_open")),
            e.ARCHIVED_LEADS: pages(held("lead WHERE NOT is_open")),
        }


FEWEST_CHANGES: Requests = {
    **dict.fromkeys((e.ORGANIZATIONS, e.PERSONS, e.ARCHIVED_DEALS, e.ACTIVITIES, e.LEADS), 1),
    e.DEALS: pages(CHANGED),
}
"""One request for each list that could have changed."""


def pulled(project: Project) -> PullResult:
    [result] = pull_all(project)
    if result.error and not isinstance(result.error, QuotaExhausted):
        raise result.error
    return result


def everything(project: Project) -> bool:
    """Whether no stream is still on its way through its first full pull."""
    with project.cache() as cache:
        streams = cache.streams("company")
    return all(stream in streams and streams[stream].supply is not None for stream in ORDER)


def report(what: str, result: PullResult, begun: float, spent: Counter[str]) -> None:
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what:<26} {result.stored:>10,} records {seconds:>8.1f} s {result.stored / seconds:>8,.0f} records/s"
        f" {result.api_calls:>7,} requests {spent.total():>9,} tokens   peak {peak:,.0f} MB",
        flush=True,
    )


def compare(spent: Counter[str], least: Requests) -> None:
    """Tokens by operation, beside the fewest possible."""
    named = {f"{endpoint.method} {endpoint.path}": endpoint.tokens * n for endpoint, n in least.items()}
    for operation in sorted({*named, *spent}, key=lambda it: -spent[it]):
        print(f"    {operation:<36} {spent[operation]:>9,} tokens, fewest {named.get(operation, 0):>9,}")
    few = sum(named.values())
    print(
        f"    {'all':<36} {spent.total():>9,} tokens, fewest {few:>9,}: {spent.total() / few:.3f}", flush=True
    )


def main(size: int, plan: str, seats: int) -> None:
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, sandbox(size, plan, seats) as url:
        print(f"a company of {size:,} deals, made in {time.perf_counter() - begun:.0f} s", flush=True)
        company = Company(url)
        company.advance(timedelta())
        token = str(company.steer("token")["api_token"])
        archived = company.archived(token)
        folder = Path(name)
        (folder / "rules").mkdir()
        (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
        budget = company.steer("tokens")["budget"]
        (folder / "pipelint.yaml").write_text(PROJECT.format(url=url, tokens=budget), encoding="utf-8")
        (folder / "token").write_text(token, encoding="utf-8")
        project = open_project(folder, clock=company.clock)

        whole, before = Counter[str](), company.spent()
        for day in count(1):
            begun = time.perf_counter()
            result = pulled(project)
            spent, before = company.spent() - before, company.spent()
            report(f"pulled whole, day {day}", result, begun, spent)
            whole += spent
            if everything(project):
                break
            company.advance(DAY)
        compare(whole, fewest(project, archived))

        company.advance(timedelta(hours=1))
        pulled(project)  # what comes again because pulls overlap
        with project.cache() as cache:
            rows = cache.db.execute("SELECT id FROM opportunity WHERE is_open ORDER BY id LIMIT ?", [CHANGED])
            ids = [row[0] for row in rows]
        company.advance(timedelta(hours=1))
        for id_ in ids:
            company.steer("update", table="deals", id=int(id_), fields={"expected_close_date": "2027-02-01"})
        company.advance(timedelta(minutes=5))
        before, begun = company.spent(), time.perf_counter()
        result = pulled(project)
        spent = company.spent() - before
        report(f"pulled after {len(ids):,} changed", result, begun, spent)
        compare(spent, FEWEST_CHANGES)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        int(given[0]) if given else 100_000,
        given[1] if len(given) > 1 else "premium",
        int(given[2]) if len(given) > 2 else 20,
    )
