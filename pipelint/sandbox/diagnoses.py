"""Which generated records have which illness, and which have none."""

from __future__ import annotations

from collections import defaultdict

from pipelint.sandbox.illnesses import DUPLICATE
from pipelint.sandbox.organisation import Deal


class Diagnoses:
    """Collects the illnesses of deals under the ids that a CRM gave them, in the order they were made."""

    def __init__(self) -> None:
        self._ill: defaultdict[str, list[str]] = defaultdict(list)
        self._healthy: dict[str, None] = {}
        self._of_company: dict[int, str] = {}

    def add(self, identity: str, deal: Deal) -> None:
        """Take in one deal; a duplicate makes its healthy twin ill, too."""
        for name in deal.illnesses:
            self._ill[name].append(identity)
        if not deal.illnesses:
            self._healthy[identity] = None
        company = -1 if deal.company is None else deal.company.number
        twin = self._of_company.setdefault(company, identity)
        if DUPLICATE in deal.illnesses and twin in self._healthy:  # it takes two to be duplicates
            del self._healthy[twin]
            self._ill[DUPLICATE].append(twin)

    def by_illness(self) -> dict[str, list[str]]:
        """The ids by illness, those without any under `healthy`."""
        return {**self._ill, "healthy": list(self._healthy)}
