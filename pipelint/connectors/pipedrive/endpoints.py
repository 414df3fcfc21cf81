"""The calls that we make, and what each takes from the company's daily tokens (`x-token-cost` of the specs)."""

from __future__ import annotations

from typing import Final, NamedTuple


class Endpoint(NamedTuple):
    """A method, a path with its parameters in braces, and the price of one request in tokens."""

    method: str
    path: str
    tokens: int
    detail: bool = False
    """It is asked for single deals, which there are many of: the budget has a part of its own for such calls."""

    def at(self, **ids: str) -> str:
        """The path with its parameters filled in."""
        return self.path.format(**ids)


DEALS: Final = Endpoint("GET", "/api/v2/deals", 10)
ARCHIVED_DEALS: Final = Endpoint("GET", "/api/v2/deals/archived", 20)
DEAL: Final = Endpoint("GET", "/api/v2/deals/{id}", 1)
CHANGE_DEAL: Final = Endpoint("PATCH", "/api/v2/deals/{id}", 5)
DEAL_PRODUCTS: Final = Endpoint("GET", "/api/v2/deals/products", 10, detail=True)
DEAL_CHANGES: Final = Endpoint("GET", "/api/v1/deals/{id}/changelog", 20, detail=True)
PARTICIPANTS: Final = Endpoint("GET", "/api/v1/deals/{id}/participants", 10, detail=True)
PERSONS: Final = Endpoint("GET", "/api/v2/persons", 10)
ORGANIZATIONS: Final = Endpoint("GET", "/api/v2/organizations", 10)
ACTIVITIES: Final = Endpoint("GET", "/api/v2/activities", 10)
PIPELINES: Final = Endpoint("GET", "/api/v2/pipelines", 5)
STAGES: Final = Endpoint("GET", "/api/v2/stages", 5)
DEAL_FIELDS: Final = Endpoint("GET", "/api/v2/dealFields", 10)
PERSON_FIELDS: Final = Endpoint("GET", "/api/v2/personFields", 10)
ORGANIZATION_FIELDS: Final = Endpoint("GET", "/api/v2/organizationFields", 10)
CREATE_FIELD: Final = Endpoint("POST", "/api/v2/dealFields", 5)
ADD_OPTIONS: Final = Endpoint("POST", "/api/v2/dealFields/{code}/options", 5)
USERS: Final = Endpoint("GET", "/api/v1/users", 20)
ME: Final = Endpoint("GET", "/api/v1/users/me", 2)
LEAD: Final = Endpoint("GET", "/api/v1/leads/{id}", 2)
CHANGE_LEAD: Final = Endpoint("PATCH", "/api/v1/leads/{id}", 10)
LEADS: Final = Endpoint("GET", "/api/v1/leads", 20)
ARCHIVED_LEADS: Final = Endpoint("GET", "/api/v1/leads/archived", 40)

ALL: Final = tuple(value for value in globals().values() if isinstance(value, Endpoint))
