"""What a command tells the shell (architecture §5), as far as no CRM is needed."""

from __future__ import annotations

from errno import ENOSPC
from io import StringIO
from pathlib import Path

import pytest

from pipelint.engine import check as engine
from pipelint.render import scratch
from tests.cli.conftest import Command


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


# 0 and 1: fine, and findings


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 1),
        (["--fail-on", "never"], 0),
        (["--only", "champion-missing"], 0),
        (["--only", "champion-missing", "--fail-on", "warning"], 0),
        (["--only", "champion-missing", "--fail-on", "info"], 1),
        (["--skip", "close-date-passed", "--skip", "unknown-value"], 0),
        (["--owner", "Lee Roe", "--only", "close-date-passed"], 0),
        (["--owner", "kim", "--only", "close-date-passed"], 1),  # an owner's id
        (["--owner", "LEE ROE", "--pipeline", "New-Business", "--only", "close-date-passed"], 0),
        (["--id", "A1"], 1),
        (["--only", "quiet", "--fail-on", "info"], 0),  # could not be checked, which never fails a command
        (["--only", "big", "--fail-on", "info"], 0),  # on trial
        (["--as-of", "2026-10-01", "--only", "close-date-passed"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_findings_at_or_above_fail_on_end_with_1(arguments: list[str], code: int, acme: Command) -> None:
    assert acme("check", *arguments).code == code


@pytest.mark.parametrize(
    "arguments",
    [
        "check --fail-on never",
        "explain A1",
        "rules validate",
        "rules list",
        "rules fields",
        "pull",
        "setup",
    ],
)
def test_a_command_that_works_ends_with_0(arguments: str, acme: Command) -> None:
    answer = acme(*arguments.split())
    assert (answer.code, answer.err) == (0, "")


def test_doctor_ends_with_1_as_long_as_there_is_a_problem(acme: Command, tmp_path: Path) -> None:
    answer = acme("doctor")
    assert answer.code == 1
    assert "the stage 'Legal review' of the only pipeline is not mapped (1 record)" in answer.out
    edit(tmp_path / "rules" / "pack.yaml", "{files: Proposal}", "{files: [Proposal, Legal review]}")
    assert acme("doctor").code == 0


# 2: the user's files or arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "No such command 'chek'"),
        (["check", "--owners", "Kim"], "No such option"),
        (["check", "--fail-on", "eror"], "'eror' is not one of"),
        (["check", "--only", "close-date-past"], "there is no rule named 'close-date-past'"),
        (["check", "--as-of", "yesterday"], "'yesterday' is not a day or a time"),
        (["check", "--pipeline", "new-busines"], "did you mean 'new-business'?"),
        (["check", "--owner", "Kim Dole"], "did you mean 'Kim Doe'?"),
        (["check", "--id", "A9"], "there is no record 'A9' in the cache"),
        (["check", "--connection", "acme"], "there is no connection named 'acme'"),
        (["explain"], "Missing argument 'ID'"),
        (["explain", "A9"], "A9"),
        (["stages", "import", "acme"], "there is no connection named 'acme'"),
        (["-C", "elsewhere", "check"], "there is no pipelint.yaml in"),
        (["init"], "pipelint.yaml is there already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_argument_ends_with_2(arguments: list[str], said: str, acme: Command) -> None:
    answer = acme(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


@pytest.mark.parametrize(
    "arguments", ["check", "pull", "rules validate", "rules list", "explain A1", "doctor"]
)
def test_a_mistake_in_a_file_ends_with_2_whatever_the_command(
    arguments: str, acme: Command, tmp_path: Path
) -> None:
    edit(tmp_path / "rules" / "pack.yaml", "flag_when: {champion: blank}", "flag_when: {champoin: blank}")
    answer = acme(*arguments.split())
    assert answer.code == 2
    assert "rules/pack.yaml:39:17: 'champoin'" in answer.out + answer.err


def test_init_writes_over_nothing(command: Command, tmp_path: Path) -> None:
    assert command("init", "--crm", "files").code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    answer = command("init")
    assert answer.code == 2
    assert "pipelint.yaml is there already" in answer.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_init_writes_is_sound(command: Command) -> None:
    command("init", "--crm", "files", "--pack", "six", "--language", "fr")
    answer = command("rules", "validate")
    assert answer.code == 0
    assert answer.out.endswith("the pack is sound.\n")


# 3: a CRM or the cache


def test_a_cache_that_is_none_ends_with_3(acme: Command, tmp_path: Path) -> None:
    (tmp_path / ".pipelint" / "cache.db").write_text(
        "This is a letter to a friend, and not a database. " * 40
    )
    answer = acme("check")
    assert (answer.code, answer.out) == (3, "")
    assert "cache.db" in answer.err


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_full_disk_under_the_findings_ends_with_3(
    form: str, acme: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(StringIO):
        def write(self, text: str) -> int:
            raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(scratch, "TemporaryFile", lambda *_, **__: Full())
    answer = acme("check", "--format", form)
    assert (answer.code, answer.out) == (3, "")
    assert "No space left on device" in answer.err
    assert "TMPDIR" in answer.err


# 70 and 130: a bug, and Ctrl-C


def test_a_bug_ends_with_70_one_line_and_a_log(
    acme: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the moon is in the wrong place")

    monkeypatch.setattr(engine, "check_into", broken)
    answer = acme("check")
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (70, "", 1)
    (log,) = (tmp_path / ".pipelint" / "logs").iterdir()
    assert log.name in answer.err
    assert "the moon is in the wrong place" in log.read_text(encoding="utf-8")


def test_an_interruption_ends_with_130(acme: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "check_into", interrupted)
    answer = acme("check")
    assert (answer.code, answer.err.strip()) == (130, "interrupted")
