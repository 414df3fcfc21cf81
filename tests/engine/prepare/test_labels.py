"""How stages and pipelines of a CRM are named to people."""

from __future__ import annotations

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.prepare.words import Labels

STAGES = [("1", "9", "Proposal"), ("", "shared", "Talks"), ("1", "Won", "Won"), ("1", "7", None)]


@pytest.mark.parametrize(
    ("pipeline", "stage", "named"),
    [
        ("1", "9", ("'Proposal' (9)", "pipeline 'Sales' (1)")),
        ("1", "shared", ("'Talks' (shared)", "pipeline 'Sales' (1)")),
        ("1", "Won", ("'Won'", "pipeline 'Sales' (1)")),  # the CRM shows its ids
        ("2", "9", ("'9'", "pipeline '2'")),  # gone from the CRM: only the ids are left
        ("1", "7", ("'7'", "pipeline 'Sales' (1)")),
        (None, "shared", ("'Talks' (shared)", "the only pipeline")),
    ],
)
def test_labels_come_first_and_ids_stand_behind_them(
    pipeline: str | None, stage: str, named: tuple[str, str]
) -> None:
    with Cache.open(":memory:") as cache:
        cache.db.execute(
            "INSERT INTO pipeline (connection, id, label, pull) VALUES ('acme', '1', 'Sales', 1)"
        )
        cache.db.executemany(
            "INSERT INTO stage (connection, pipeline, id, label, pull) VALUES ('acme', ?, ?, ?, 1)", STAGES
        )
        assert Labels(cache.db, "acme").named(pipeline, stage) == named
