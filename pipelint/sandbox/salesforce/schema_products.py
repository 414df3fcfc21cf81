"""What is sold: products, their prices, and the lines of an opportunity (fact sheet §4)."""

from __future__ import annotations

from pipelint.sandbox.salesforce.fields import flag, lookup, number, picklist, text, typed
from pipelint.sandbox.salesforce.schema import SObject, sobject

PRODUCT = sobject(
    "Product2",
    "01t",
    text("Name", 255, required=True),
    text("ProductCode", 255),
    text("Description", 4000),
    flag("IsActive", default=True),
    picklist("Family", ("None",)),
    allows="cud",
    label="Product",
)

PRICEBOOK = sobject(
    "Pricebook2",
    "01s",
    text("Name", 255, required=True),
    flag("IsActive", default=True),
    flag("IsStandard", read_only=True),
    allows="cu",
    label="Price Book",
)

PRICEBOOK_ENTRY = sobject(
    "PricebookEntry",
    "01u",
    lookup("Pricebook2Id", "Pricebook2", children="PricebookEntries", required=True, updateable=False),
    lookup("Product2Id", "Product2", children="PricebookEntries", required=True, updateable=False),
    text("Name", 255, read_only=True),
    text("ProductCode", 255, read_only=True),
    number("UnitPrice", required=True),
    flag("IsActive", default=True),
    allows="cud",
    label="Price Book Entry",
    plural="Price Book Entries",
)

LINE_ITEM = sobject(
    "OpportunityLineItem",
    "00k",
    lookup("OpportunityId", "Opportunity", children="OpportunityLineItems", required=True, updateable=False),
    lookup("PricebookEntryId", "PricebookEntry", required=True, updateable=False),
    lookup("Product2Id", "Product2", read_only=True),
    text("Name", 376, read_only=True),
    text("ProductCode", 255, read_only=True),
    number("Quantity", "double"),
    number("UnitPrice"),
    number("ListPrice", read_only=True),
    number("Subtotal", read_only=True),
    number("TotalPrice", read_only=True),
    number("Discount", "percent", precision=5),
    typed("ServiceDate", "date"),
    text("Description", 255),
    allows="cud",
    indexes=("OpportunityId",),
)

PRODUCT_OBJECTS: tuple[SObject, ...] = (PRODUCT, PRICEBOOK, PRICEBOOK_ENTRY, LINE_ITEM)
