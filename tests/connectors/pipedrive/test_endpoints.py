"""The calls we make, against Pipedrive's own OpenAPI files: they exist, and cost what we count."""

import re
from pathlib import Path

import pytest

from pipelint.connectors.pipedrive.endpoints import ALL, Endpoint

SPECS = Path(__file__).parents[4] / "shared" / "specs" / "pipedrive"


def prices(file: Path) -> dict[tuple[str, str], int]:
    """Method and path → tokens; read line by line, for a YAML parser takes half a minute for these files."""
    found: dict[tuple[str, str], int] = {}
    path = method = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"  '?(/[^:']*)'?:", line):
            path = match[1]
        elif match := re.fullmatch(r"    (get|post|put|patch|delete):", line):
            method = match[1].upper()
        elif match := re.fullmatch(r"      x-token-cost: (\d+)", line):
            found[method, path] = int(match[1])
    return found


@pytest.fixture(scope="module")
def specs() -> dict[str, dict[tuple[str, str], int]]:
    if not SPECS.exists():
        pytest.skip("Pipedrive's OpenAPI files are not here")
    return {version: prices(SPECS / f"openapi-{version}.yaml") for version in ("v1", "v2")}


@pytest.mark.parametrize("endpoint", ALL, ids=lambda each: f"{each.method} {each.path}")
def test_a_call_is_in_the_specification_at_its_price(
    endpoint: Endpoint, specs: dict[str, dict[tuple[str, str], int]]
) -> None:
    version, _, path = endpoint.path.removeprefix("/api/").partition("/")
    path = f"/{path}".replace("{code}", "{field_code}")
    assert specs[version][endpoint.method, path] == endpoint.tokens
