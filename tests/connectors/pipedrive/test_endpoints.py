"""The calls we make, against Pipedrive's own OpenAPI files: they exist, and cost what we count."""

import pytest

from pipelint.connectors.pipedrive.endpoints import ALL, Endpoint
from tests.sandbox.pipedrive.openapi import needs_specs, operation

pytestmark = needs_specs


@pytest.mark.parametrize("endpoint", ALL, ids=lambda each: f"{each.method} {each.path}")
def test_a_call_is_in_the_specification_at_its_price(endpoint: Endpoint) -> None:
    assert operation(endpoint.method, endpoint.path).tokens == endpoint.tokens
