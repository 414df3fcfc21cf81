"""A mistake in an export or in its mapping is named with its place and its cure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelint.config.problems import Problems
from pipelint.config.project import load_project_file
from pipelint.connectors.files import FilesConnector, Settings
from pipelint.errors import ProblemsFound, UsageError
from pipelint.records import Stream

from .conftest import Connect

Export = Callable[[str, str | bytes], Path]


def complaint(made: FilesConnector, stream: Stream = Stream.OPPORTUNITIES) -> list[str]:
    with pytest.raises(ProblemsFound) as caught:
        list(made.pull(stream, None, ()))
    return [f"{problem.place}: {problem.what} = {problem.hint}" for problem in caught.value.problems]


def test_missing_file(connection: Connect, export: Export) -> None:
    export("pipeline.csv", "id\n")
    assert complaint(connection(opportunities={"file": "deals.csv"})) == [
        "exports/deals.csv: there is no such file = the folder holds pipeline.csv"
    ]


def test_missing_columns_all_at_once(connection: Connect, export: Export) -> None:
    export("deals.csv", "opportunity_id,deal_stage\n")
    made = connection(
        opportunities={"file": "deals.csv", "columns": {"id": "oportunity_id", "owner": "sales_agent"}}
    )
    assert complaint(made) == [
        "exports/deals.csv:1:1: there is no column 'oportunity_id' for id of opportunities"
        " = did you mean 'opportunity_id'?",
        "exports/deals.csv:1:1: there is no column 'sales_agent' for owner of opportunities"
        " = the columns are opportunity_id, deal_stage",
    ]


def test_no_column_for_the_id(connection: Connect, export: Export) -> None:
    export("deals.csv", "deal,stage\n")
    assert complaint(connection(opportunities={"file": "deals.csv"})) == [
        "exports/deals.csv:1:1: opportunities need a column for id"
        " = say which it is, under columns: id: <deal | stage>"
    ]


def test_another_delimiter(connection: Connect, export: Export) -> None:
    export("deals.csv", "deal;stage\n1;won\n")
    made = connection(opportunities={"file": "deals.csv", "columns": {"id": "deal"}})
    assert complaint(made) == [
        "exports/deals.csv:1:1: there is no column 'deal' for id of opportunities"
        " = is the file separated by another sign? Try delimiter: ';'"
    ]


def test_duplicate_id(connection: Connect, export: Export) -> None:
    export("deals.csv", 'id,name\n1,"Two\nlines"\n2,b\n1,c\n')
    assert complaint(connection(opportunities={"file": "deals.csv"})) == [
        "exports/deals.csv:5:1: the id '1', in column 'id', was already given to a row above"
        " = remove one of the rows, or map the column that holds the ids"
    ]


def test_empty_id(connection: Connect, export: Export) -> None:
    export("deals.csv", "id,name\n,b\n")
    assert complaint(connection(opportunities={"file": "deals.csv"})) == [
        "exports/deals.csv:2:1: the id, in column 'id', is empty = give the row an id"
    ]


def test_bad_encoding(connection: Connect, export: Export) -> None:
    export("deals.csv", "id,name\n1,plain\n2,Zoë\n".encode("cp1252"))
    (told,) = complaint(connection(opportunities={"file": "deals.csv"}))
    assert told.startswith("exports/deals.csv:3:1: the file is not UTF-8 text")
    assert told.endswith(
        "= save it as UTF-8, or say what it is: encoding: cp1252 (Windows) or encoding: utf-16"
    )
    made = connection(opportunities={"file": "deals.csv", "encoding": "cp1252"})
    (page,) = made.pull(Stream.OPPORTUNITIES, None, ())
    assert [record._asdict()["name"] for record in page.records] == ["plain", "Zoë"]


def test_row_of_another_width(connection: Connect, export: Export) -> None:
    export("deals.csv", "id,name\n1,Plants, two\n")
    assert complaint(connection(opportunities={"file": "deals.csv"})) == [
        "exports/deals.csv:2:1: the row has 3 values, but the first line names 2 columns"
        " = put quotes around a text that contains ','"
    ]


def test_quote_that_is_not_closed(connection: Connect, export: Export) -> None:
    export("deals.csv", 'id,name\n1,a\n2,"b\n3,c\n')
    (told,) = complaint(connection(opportunities={"file": "deals.csv"}))
    assert told.startswith("exports/deals.csv:3:1: this is not CSV: unexpected end of data")


def test_two_columns_of_one_name(connection: Connect, export: Export) -> None:
    export("deals.csv", "id,name,name\n1,a,b\n")
    assert complaint(connection(opportunities={"file": "deals.csv"})) == [
        "exports/deals.csv:1:1: two columns are called 'name' = rename one of them"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"id": "1"},\n{"id": "2"\n', "exports/a.json:3:1: this is not JSON: Expecting ',' delimiter"),
        (
            '[{"id": "1"}\n{"id": "2"}]',
            "exports/a.json:2:1: this is not JSON: ',' was expected, but '{' follows",
        ),
        ('[{"id": "1"},', "exports/a.json:1:1: this is not JSON: Expecting value"),
        ('[{"id": "1"},\n7]', "exports/a.json:2:1: a record must be an object"),
    ],
)
def test_broken_json(connection: Connect, export: Export, text: str, told: str) -> None:
    export("a.json", text)
    (found,) = complaint(connection(leads={"file": "a.json"}), Stream.LEADS)
    assert found.startswith(told)


def test_empty_file(connection: Connect, export: Export) -> None:
    export("deals.csv", "")
    assert complaint(connection(opportunities={"file": "deals.csv"})) == [
        "exports/deals.csv: the file is empty = export it again; the first line names the columns"
    ]


def test_constant_of_the_wrong_type(connection: Connect, export: Export) -> None:
    export("deals.csv", "id\n1\n")
    made = connection(opportunities={"file": "deals.csv", "constants": {"is_open": "perhaps"}})
    with pytest.raises(
        UsageError, match="'perhaps', the constant is_open of opportunities, is not yes or no"
    ):
        list(made.pull(Stream.OPPORTUNITIES, None, ()))


@pytest.mark.parametrize(
    ("stream", "loc", "told"),
    [
        ({"columns": {"ownr": "x"}}, "ownr", "'ownr' is not a field of opportunities"),
        ({"zone": "Paris"}, "zone", "'Paris' is not a time zone"),
        ({"encoding": "utf8-x"}, "encoding", "'utf8-x' is not a known encoding"),
        ({"delimiter": "::"}, "delimiter", "'::' is not a delimiter"),
        ({"column": {}}, "column", "Extra inputs are not permitted"),
    ],
)
def test_settings_that_cannot_be(stream: dict[str, object], loc: str, told: str) -> None:
    told_by = {"crm": "files", "path": ".", "streams": {"opportunities": {"file": "a.csv", **stream}}}
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(told_by)
    (error,) = caught.value.errors()
    assert loc in error["loc"]
    assert told in error["msg"]


def written(project: Path, text: str) -> tuple[Settings | None, list[str]]:
    """The settings of a connection as pipelint.yaml gives them, and what is wrong with them."""
    (project / "pipelint.yaml").write_text(text, encoding="utf-8")
    problems = Problems()
    file = load_project_file(project, problems, known_crms=["files"])
    settings = file.connections["history"].settings(Settings, problems) if file else None
    return settings, [
        f"{problem.place.line}:{problem.place.column}: {problem.what} = {problem.hint}"
        for problem in sorted(problems.found, key=lambda problem: problem.place.column)
    ]


HISTORY = """\
pipelint: 1
connections:
  history:
    crm: files
    path: ${env:EXPORTS}/crm
    streams:
      opportunities: {file: deals.csv, columns: {owner: sales_agent}}
"""


def test_the_path_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXPORTS", "/data/exports")
    settings, mistakes = written(tmp_path, HISTORY)
    assert mistakes == []
    assert settings is not None
    assert settings.path == "/data/exports/crm"


def test_mistakes_are_shown_where_they_were_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXPORTS", "/data/exports")
    text = HISTORY.replace("owner:", "ownr:").replace("deals.csv,", "deals.csv, zone: Paris,")
    settings, mistakes = written(tmp_path, text)
    assert settings is None
    assert mistakes == [
        "7:46: 'Paris' is not a time zone = write a name like Europe/Paris",
        "7:63: 'ownr' is not a field of opportunities = did you mean 'owner'?",
    ]
