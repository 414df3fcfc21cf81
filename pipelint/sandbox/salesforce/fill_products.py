"""The catalogue of a generated organisation, and the lines of its deals."""

from __future__ import annotations

from pipelint.sandbox.organisation import Deal
from pipelint.sandbox.salesforce.setup import Setup
from pipelint.sandbox.salesforce.store import Row

LIST_PRICE = 10_000.0


class Catalogue:
    """Products by name, made with their price when they are first sold."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        found = setup.store.find(setup.store.schema["Pricebook2"], IsStandard=1)
        assert found is not None  # noqa: S101 - set up a moment ago
        self._pricebook = found["Id"]
        self._entries: dict[str, Row] = {}

    def line(self, deal: Deal, product: str, quantity: int, price: float) -> Row:
        """A line item, but for its deal."""
        if product not in self._entries:
            self._entries[product] = self._make(product)
        return self._entries[product] | {
            "Name": f"{deal.name} {product}"[:376],
            "Quantity": float(quantity),
            "UnitPrice": price,
            "ListPrice": LIST_PRICE,
            "Subtotal": price * quantity,
            "TotalPrice": price * quantity,
        }

    def _make(self, name: str) -> Row:
        code = f"P-{len(self._entries) + 1:03}"
        product = self._setup.insert("Product2", Name=name, ProductCode=code, IsActive=1)
        entry = self._setup.insert(
            "PricebookEntry",
            Pricebook2Id=self._pricebook,
            Product2Id=product,
            Name=name,
            ProductCode=code,
            UnitPrice=LIST_PRICE,
            IsActive=1,
        )
        return {"PricebookEntryId": entry, "Product2Id": product, "ProductCode": code}
