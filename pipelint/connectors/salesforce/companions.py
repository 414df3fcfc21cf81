"""Rows of another object that say more about some rows of a page: who took part, which way an email went.

They are asked for by the ids of those rows alone, so a page without such rows costs nothing.
"""

from __future__ import annotations

from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.answers import Row
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.reader import Reader


def add(client: Client, reader: Reader, rows: list[Row]) -> None:
    """Put the companions of each row into it, as a list under the name of their object."""
    for companion in reader.sobject.companions:
        if companion.name not in reader.companions:
            continue
        by_id = {row["Id"]: row for row in rows if companion.wanted(row.get(companion.asked_if))}
        columns = (companion.key, companion.column)
        for ids in soql.chunked(list(by_id)):
            where = [f"{companion.key} IN {soql.listed(ids)}"]
            statement = soql.select(columns, companion.name, where)
            for found in client.rows(statement, name=f"query {companion.name}"):
                by_id[found[companion.key]].setdefault(companion.name, []).append(found)
