"""Secrets are referred to, revealed late, and leave nothing behind."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from pipelint.config.masking import MASK, masker
from pipelint.config.nodes import read_text
from pipelint.config.problems import Problems
from pipelint.config.secrets import Origin, SecretRef
from pipelint.config.settings import Settings
from pipelint.config.validate import read_model
from pipelint.errors import ProblemsFound


class Auth(Settings):
    token: SecretRef


def secret(reference: str, folder: Path = Path()) -> SecretRef:
    problems = Problems()
    node = read_text(f'token: "{reference}"\n', "pipelint.yaml", problems)
    assert node is not None
    auth = read_model(node, Auth, problems, Origin("acme-sales", folder))
    assert auth is not None
    return auth.token


def test_a_variable_is_read_when_the_secret_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    token = secret("${env:TOKEN_OF_TEST}")
    monkeypatch.setenv("TOKEN_OF_TEST", "geheim-4711")
    assert token.reveal() == "geheim-4711"
    assert masker.mask("sent geheim-4711") == f"sent {MASK}"


def test_a_file_is_read_from_the_project_and_its_last_line_break_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("-----BEGIN\nabc\n\n", encoding="utf-8")
    assert secret("${file:token}", tmp_path).reveal() == "-----BEGIN\nabc"


def test_a_secret_leaves_no_trace_in_what_python_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_TEST", "geheim-4711")
    token = secret("${env:TOKEN_OF_TEST}")
    token.reveal()
    assert pickle.loads(pickle.dumps(token)) == token == copy.deepcopy(token)  # noqa: S301
    shown = [repr(token), str(token), f"{token}", repr(Auth(token=token)), str(pickle.dumps(token))]
    assert not any("geheim" in text for text in shown)


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (
            "${env:UNSET_BY_TEST}",
            "the variable UNSET_BY_TEST is not set: the connection 'acme-sales' needs it",
        ),
        (
            "${file:absent}",
            "the file {folder}/absent cannot be read: No such file or directory: the connection",
        ),
        ("${file:empty}", "the file {folder}/empty is empty: the connection 'acme-sales' needs it"),
        ("${file:binary}", "the file {folder}/binary cannot be read: it is not UTF-8 text: the connection"),
    ],
)
def test_a_reference_that_leads_nowhere_is_shown_where_it_stands(
    reference: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ProblemsFound) as caught:
        secret(reference, tmp_path).reveal()
    (problem,) = caught.value.problems
    assert problem.what.startswith(told.format(folder=tmp_path))
    assert problem.hint
    assert str(problem.place) == "pipelint.yaml:1:8"
    assert problem.line == f'token: "{reference}"'


def test_a_secret_made_by_hand_must_be_a_reference_too() -> None:
    with pytest.raises(ValueError, match="not a reference") as caught:
        SecretRef("geheim-4712").reveal()
    assert "geheim" not in str(caught.value)
