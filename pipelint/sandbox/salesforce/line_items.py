"""What follows from the lines of an opportunity: their prices, and the amount of the deal (fact sheet §4)."""

from __future__ import annotations

from pipelint.sandbox.salesforce.store import Row, Store, Value


def derive(store: Store, after: Row) -> None:
    """Product, list price and totals follow from the price book entry, quantity, price and discount."""
    entry = store.get(store.schema["PricebookEntry"], str(after["PricebookEntryId"])) or {}
    for column in ("Product2Id", "ProductCode"):
        after[column] = entry.get(column)
    deal = store.get(store.schema["Opportunity"], str(after["OpportunityId"])) or {}
    after["Name"] = f"{deal.get('Name')} {entry.get('Name')}"[:376]
    if "CurrencyIsoCode" in after:
        after["CurrencyIsoCode"] = deal.get("CurrencyIsoCode")
    after["ListPrice"] = entry.get("UnitPrice")
    if after["UnitPrice"] is None:
        after["UnitPrice"] = after["ListPrice"]
    after["Subtotal"] = round(_number(after["UnitPrice"]) * _number(after["Quantity"]), 2)
    after["TotalPrice"] = round(_number(after["Subtotal"]) * (1 - _number(after["Discount"]) / 100), 2)


def derive_entry(store: Store, after: Row) -> None:
    """A price book entry is called as its product."""
    product = store.get(store.schema["Product2"], str(after["Product2Id"])) or {}
    after["Name"], after["ProductCode"] = product.get("Name"), product.get("ProductCode")


def sum_up(store: Store, opportunity: str) -> Row:
    """What an opportunity says once its lines have changed; without lines its amount stays."""
    lines = store.find_all(store.schema["OpportunityLineItem"], OpportunityId=opportunity, IsDeleted=0)
    if not lines:
        return {"HasOpportunityLineItem": 0}
    return {"HasOpportunityLineItem": 1, "Amount": round(sum(_number(it["TotalPrice"]) for it in lines), 2)}


def _number(value: Value) -> float:
    return float(value or 0)
