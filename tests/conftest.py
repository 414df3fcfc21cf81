"""Fixtures that all tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is the machine's affair, which may be busy.
settings.register_profile("pipelint", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pipelint")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-snapshots", action="store_true", help="write the texts that snapshot tests compare"
    )


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare a text that people read with the one kept beside the test.

    `snapshot(text)` compares with `snapshots/<module>/<test>.txt` in the test's folder; a test that keeps
    several texts names each: `snapshot(text, "json")`. `pytest --update-snapshots` writes the files.
    """
    folder = Path(request.path).parent / "snapshots" / Path(request.path).stem.removeprefix("test_")
    test = "".join(c if c.isalnum() or c in "-_.[]" else "-" for c in request.node.name.removeprefix("test_"))

    def check(text: str, name: str = "") -> None:
        __tracebackhide__ = True
        file = folder / f"{test}{'.' if name else ''}{name}.txt"
        got = text if text.endswith("\n") else f"{text}\n"
        if request.config.getoption("--update-snapshots"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(got, encoding="utf-8", newline="\n")
        elif not file.exists():
            pytest.fail(f"no snapshot yet: run pytest --update-snapshots and review {file.name}\n\n{got}")
        else:
            assert got == file.read_text(encoding="utf-8"), (
                f"{file.name} differs; --update-snapshots if intended"
            )

    return check
