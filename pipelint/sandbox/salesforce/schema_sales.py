"""The objects salespeople work with: deals, companies and people (fact sheet §4)."""

from __future__ import annotations

from pipelint.sandbox.salesforce.fields import area, flag, lookup, number, picklist, text, typed
from pipelint.sandbox.salesforce.schema import CREATED, IS_DELETED, STAMP, SObject, sobject
from pipelint.sandbox.salesforce.stages import FORECAST_CATEGORIES, STAGES

SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Trade Show", "Other")
INDUSTRIES = ("Agriculture", "Banking", "Chemicals", "Construction", "Consulting", "Education", "Energy",
              "Engineering", "Government", "Healthcare", "Insurance", "Manufacturing", "Retail", "Technology",
              "Telecommunications", "Transportation", "Other")  # fmt: skip
ROLES = ("Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker", "Evaluator",
         "Executive Sponsor", "Influencer", "Technical Buyer", "Champion", "Other")  # fmt: skip
LEAD_STATUSES = (
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
)

ADDRESS = ("Street", "City", "State", "PostalCode", "Country")


def _address(kind: str) -> list[str]:
    return [f"{kind}{part}" for part in ADDRESS]


ACCOUNT = sobject(
    "Account",
    "001",
    text("Name", 255, required=True),
    picklist(
        "Type",
        (
            "Prospect",
            "Customer - Direct",
            "Customer - Channel",
            "Channel Partner / Reseller",
            "Installation Partner",
            "Technology Partner",
            "Other",
        ),
    ),
    lookup("MasterRecordId", "Account", read_only=True),
    lookup("ParentId", "Account", children="ChildAccounts"),
    *(text(name) for kind in ("Billing", "Shipping") for name in _address(kind)),
    typed("Phone", "phone"),
    typed("Fax", "phone"),
    text("AccountNumber", 40),
    typed("Website", "url"),
    text("Sic", 20),
    picklist("Industry", INDUSTRIES),
    number("AnnualRevenue", precision=18, scale=0),
    typed("NumberOfEmployees", "int"),
    picklist("Ownership", ("Public", "Private", "Subsidiary", "Other")),
    picklist("Rating", ("Hot", "Warm", "Cold")),
    area("Description"),
    lookup("OwnerId", "User"),
    picklist("AccountSource", SOURCES),
    typed("LastActivityDate", "date", read_only=True),
    allows="cud",
    indexes=("OwnerId",),
)

CONTACT = sobject(
    "Contact",
    "003",
    lookup("MasterRecordId", "Contact", read_only=True),
    lookup("AccountId", "Account", children="Contacts"),
    text("LastName", 80, required=True),
    text("FirstName", 40),
    picklist("Salutation", ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")),
    text("Name", 121, read_only=True),
    *(text(name) for name in _address("Mailing")),
    typed("Phone", "phone"),
    typed("MobilePhone", "phone"),
    lookup("ReportsToId", "Contact"),
    typed("Email", "email"),
    text("Title", 128),
    text("Department", 80),
    picklist("LeadSource", SOURCES),
    area("Description"),
    lookup("OwnerId", "User"),
    flag("HasOptedOutOfEmail"),
    typed("LastActivityDate", "date", read_only=True),
    allows="cud",
    indexes=("AccountId",),
)

OPPORTUNITY = sobject(
    "Opportunity",
    "006",
    lookup("AccountId", "Account", children="Opportunities"),
    lookup("RecordTypeId", "RecordType"),
    text("Name", 120, required=True),
    area("Description"),
    picklist("StageName", [stage.name for stage in STAGES], required=True),
    number("Amount"),
    number("Probability", "percent", precision=3, scale=0),
    number("ExpectedRevenue", read_only=True),
    number("TotalOpportunityQuantity", "double"),
    typed("CloseDate", "date", required=True),
    picklist(
        "Type",
        (
            "Existing Customer - Upgrade",
            "Existing Customer - Replacement",
            "Existing Customer - Downgrade",
            "New Customer",
        ),
    ),
    text("NextStep", 255),
    picklist("LeadSource", SOURCES),
    flag("IsClosed", read_only=True),
    flag("IsWon", read_only=True),
    picklist("ForecastCategory", [api for api, _ in FORECAST_CATEGORIES], restricted=True, read_only=True),
    picklist("ForecastCategoryName", [label for _, label in FORECAST_CATEGORIES], restricted=True),
    flag("HasOpportunityLineItem", read_only=True),
    lookup("OwnerId", "User"),
    typed("LastActivityDate", "date", read_only=True),
    typed("LastStageChangeDate", "datetime", read_only=True),
    typed("PushCount", "int", read_only=True),
    typed("FiscalQuarter", "int", read_only=True),
    typed("FiscalYear", "int", read_only=True),
    text("Fiscal", 6, read_only=True),
    lookup("ContactId", "Contact", read_only=True),
    flag("HasOpenActivity", read_only=True),
    flag("HasOverdueTask", read_only=True),
    allows="cud",
    plural="Opportunities",
    indexes=("AccountId", "OwnerId"),
)

CONTACT_ROLE = sobject(
    "OpportunityContactRole",
    "00K",
    lookup(
        "OpportunityId", "Opportunity", children="OpportunityContactRoles", required=True, updateable=False
    ),
    lookup("ContactId", "Contact", children="OpportunityContactRoles", required=True, updateable=False),
    picklist("Role", ROLES),
    flag("IsPrimary"),
    allows="cud",
    indexes=("OpportunityId", "ContactId"),
)

HISTORY = sobject(
    "OpportunityHistory",
    "008",
    lookup("OpportunityId", "Opportunity", children="OpportunityHistories", read_only=True),
    picklist("StageName", read_only=True),
    number("Amount", read_only=True),
    number("ExpectedRevenue", read_only=True),
    typed("CloseDate", "date", read_only=True),
    number("Probability", "percent", precision=3, scale=0, read_only=True),
    picklist("ForecastCategory", read_only=True),
    number("PrevAmount", read_only=True),
    typed("PrevCloseDate", "date", read_only=True),
    system=(IS_DELETED, *CREATED, STAMP),
    plural="Opportunity Histories",
    indexes=("OpportunityId",),
)

FIELD_HISTORY = sobject(
    "OpportunityFieldHistory",
    "017",
    lookup("OpportunityId", "Opportunity", children="Histories", read_only=True),
    picklist("Field", read_only=True),
    picklist("DataType", read_only=True),
    typed("OldValue", "anyType", read_only=True),
    typed("NewValue", "anyType", read_only=True),
    system=(IS_DELETED, *CREATED),
    indexes=("OpportunityId",),
)

LEAD = sobject(
    "Lead",
    "00Q",
    lookup("MasterRecordId", "Lead", read_only=True),
    text("LastName", 80, required=True),
    text("FirstName", 40),
    text("Name", 121, read_only=True),
    text("Title", 128),
    text("Company", 255, required=True),
    text("City", 40),
    text("Country", 80),
    typed("Phone", "phone"),
    typed("Email", "email"),
    typed("Website", "url"),
    area("Description"),
    picklist("LeadSource", SOURCES),
    picklist("Status", LEAD_STATUSES, required=True, default=LEAD_STATUSES[0]),
    picklist("Industry", INDUSTRIES),
    picklist("Rating", ("Hot", "Warm", "Cold")),
    number("AnnualRevenue", scale=0),
    typed("NumberOfEmployees", "int"),
    lookup("OwnerId", "User", "Group"),
    flag("IsConverted", read_only=True),
    typed("ConvertedDate", "date", read_only=True),
    lookup("ConvertedAccountId", "Account", read_only=True),
    lookup("ConvertedContactId", "Contact", read_only=True),
    lookup("ConvertedOpportunityId", "Opportunity", read_only=True),
    typed("LastActivityDate", "date", read_only=True),
    allows="cud",
    indexes=("OwnerId",),
)

SALES_OBJECTS: tuple[SObject, ...] = (
    ACCOUNT, CONTACT, OPPORTUNITY, CONTACT_ROLE, HISTORY, FIELD_HISTORY, LEAD,
)  # fmt: skip
