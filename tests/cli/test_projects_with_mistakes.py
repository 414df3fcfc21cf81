"""Projects that cannot be worked with are refused in words, never with a traceback."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from pipelint.config.paths import ProjectPaths
from pipelint.errors import CacheUnusable
from tests.cli.conftest import PACK, PROJECT, Command


@pytest.mark.parametrize("arguments", ["rules validate", "check"])
@pytest.mark.parametrize("name", ["more.yaml", "deep/er/more.yaml"])
@pytest.mark.parametrize(
    "content",
    ["rules: {}  # équipe".encode("latin-1"), PACK.encode("utf-16"), bytes(range(256))],
    ids=["latin-1", "utf-16", "binary"],
)
def test_a_rule_file_is_utf_8(
    arguments: str, name: str, content: bytes, acme: Command, tmp_path: Path
) -> None:
    file = tmp_path / "rules" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    answer = acme(*arguments.split())
    assert answer.code == 2
    assert f"rules/{name}: the file is not UTF-8 text" in answer.out + answer.err
    assert "save it as UTF-8" in answer.out + answer.err


def test_a_rule_file_that_may_not_be_read_is_named(
    acme: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rules" / "theirs.yaml"
    file.touch()
    whole = Path.read_text

    def guarded(path: Path, encoding: str | None = None) -> str:
        if path.name == file.name:
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path, encoding=encoding)

    monkeypatch.setattr(Path, "read_text", guarded)
    answer = acme("rules", "validate")
    assert answer.code == 2
    assert "rules/theirs.yaml: the file cannot be read: Permission denied" in answer.out


@pytest.mark.parametrize("arguments", ["check", "pull", "run"])
def test_a_project_that_may_not_be_written_to_ends_with_3(
    arguments: str, acme: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refused)
    answer = acme(arguments)
    assert answer.code == 3
    assert f"{Path('.pipelint')} cannot be made or opened: Permission denied" in answer.err
    assert "give this user the right to write" in answer.err


def test_a_state_folder_of_someone_else_keeps_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "win32":
        pytest.skip("folders have no such modes there")
    paths = ProjectPaths(tmp_path)
    paths.state.mkdir(mode=0o755)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    paths.create()
    assert stat.S_IMODE(paths.state.stat().st_mode) == 0o755


def test_a_file_in_place_of_the_state_folder_is_told(tmp_path: Path) -> None:
    ProjectPaths(tmp_path).state.touch()
    with pytest.raises(CacheUnusable, match="cannot be made or opened"):
        ProjectPaths(tmp_path).create()


@pytest.mark.parametrize(
    "project",
    [
        PROJECT.replace("crm: files", "crm: fils"),
        PROJECT.replace("path: exports/", "path: [exports/"),
        "",
        "pipelint: 1\n",
    ],
    ids=["unknown crm", "no YAML", "empty", "no connections"],
)
def test_a_broken_project_file_is_not_held_against_the_rules(
    project: str, acme: Command, tmp_path: Path
) -> None:
    (tmp_path / "rules" / "pack.yaml").write_text(PACK.replace("{files:", "{sales:"), encoding="utf-8")
    (tmp_path / "pipelint.yaml").write_text(project, encoding="utf-8")
    answer = acme("rules", "validate")
    assert answer.code == 2
    assert "pipelint.yaml:" in answer.out
    assert "neither a CRM nor a connection" not in answer.out


def test_names_that_can_be_seen_in_a_broken_project_file_are_known(acme: Command, tmp_path: Path) -> None:
    (tmp_path / "rules" / "pack.yaml").write_text(PACK.replace("{files: Won}", "{slaes: Won}"), "utf-8")
    (tmp_path / "pipelint.yaml").write_text(PROJECT.replace("crm: files", "crm: fils"), "utf-8")
    answer = acme("rules", "validate")
    assert "'slaes' is neither a CRM nor a connection" in answer.out
    assert "did you mean 'sales'?" in answer.out


SALESFORCE = """\
pipelint: 1
connections:
  sales:
    crm: salesforce
    base_url: https://acme.my.salesforce.com
    auth: {flow: client_credentials, client_id: "${env:NOT_SET_HERE}", client_secret: "${env:NOT_SET_EITHER}"}
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('"${env:NOT_SET_EITHER}"', "hunter2", "a secret stands here in plain text"),
        ("flow: client_credentials", "flow: password", "retiring the username-password flow"),
        ("https://acme.my", "http://acme.my", "pipelint.yaml:5:15"),
        ("https://acme.my.salesforce.com", "${acme}", "'${acme}' is not a reference"),
    ],
)
def test_the_settings_of_a_connection_are_validated_too(
    right: str, wrong: str, said: str, acme: Command, tmp_path: Path
) -> None:
    (tmp_path / "pipelint.yaml").write_text(SALESFORCE.replace(right, wrong), encoding="utf-8")
    answer = acme("rules", "validate")
    assert answer.code == 2
    assert said in answer.out
    assert "hunter2" not in answer.out


@pytest.mark.parametrize("address", ["https://acme.my.salesforce.com", "${env:NOT_SET_HERE}", "${file:url}"])
def test_what_is_not_set_on_this_machine_makes_no_pack_unsound(
    address: str, acme: Command, tmp_path: Path
) -> None:
    text = SALESFORCE.replace("https://acme.my.salesforce.com", address)
    (tmp_path / "pipelint.yaml").write_text(text, encoding="utf-8")
    assert acme("rules", "validate").code == 0


@pytest.mark.parametrize("arguments", ["demo", "sandbox salesforce", "sandbox hubspot"])
def test_the_sandbox_says_which_extra_it_needs(
    arguments: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(("werkzeug", "pipelint.sandbox."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "werkzeug", None)
    answer = command(*arguments.split())
    assert answer.code == 2
    assert "the sandbox needs werkzeug" in answer.err
    assert "pip install 'pipelint[sandbox]'" in answer.err
