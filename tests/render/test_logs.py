"""What is logged, for whom, and never a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from pipelint.config.masking import masker
from pipelint.render.logs import configure

ours = logging.getLogger("pipelint.engine.pull")
theirs = logging.getLogger("urllib3")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("pipelint").setLevel(logging.NOTSET)


def say_everything() -> None:
    for logger in (ours, theirs):
        for level in ("debug", "info", "warning", "error"):
            getattr(logger, level)("%s", level)


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [
        (-2, "error / error"),
        (-1, "error / error"),
        (0, "warning error / warning error"),
        (1, "info warning error / warning error"),
        (2, "debug info warning error / warning error"),
        (3, "debug info warning error / warning error"),
    ],
)
def test_verbosity_is_about_us_and_of_others_only_trouble_is_shown(verbosity: int, shown: str) -> None:
    stream = io.StringIO()
    configure(verbosity, "text", stream)
    say_everything()
    ours_shown, theirs_shown = shown.split(" / ")
    expected = [f"{level}: {level}" for level in f"{ours_shown} {theirs_shown}".split()]
    assert stream.getvalue().splitlines() == expected


def lines_of(format_: Any) -> str:
    masker.register("geheim-4731")
    stream = io.StringIO()
    configure(1, "text", io.StringIO())
    configure(1, format_, stream)
    ours.info("pulled", extra={"connection": "acme-sales", "run": "r7", "records": 12})
    ours.warning("odd %s", "geheim-4731", extra={"header": "Bearer geheim-4731"})
    try:
        int("geheim-4731")
    except ValueError:
        ours.exception("broken")
    return stream.getvalue()


def test_text_lines() -> None:
    text = lines_of("text")
    assert text.startswith("info: pulled  connection=acme-sales run=r7 records=12\nwarning: odd ***  header=")
    assert "ValueError: invalid literal for int() with base 10: '***'" in text
    assert "geheim" not in text


def test_json_lines() -> None:
    text = lines_of("json")
    pulled, odd, broken = map(json.loads, text.splitlines())
    assert pulled.pop("ts").endswith("Z")
    assert pulled == {
        "level": "info",
        "event": "pulled",
        "connection": "acme-sales",
        "run": "r7",
        "records": 12,
    }
    assert odd["header"] == "Bearer ***"
    assert broken["event"] == "broken"
    assert "ValueError" in broken["error"]
    assert "geheim" not in text
