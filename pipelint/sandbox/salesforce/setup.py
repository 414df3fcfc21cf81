"""The organisation before its first deal: users, profiles, stages, record types, custom fields, rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.names import ascii_name
from pipelint.sandbox.salesforce import currencies
from pipelint.sandbox.salesforce.access import ADMINISTRATOR, READ_ONLY
from pipelint.sandbox.salesforce.custom_fields import CustomFields, define_fields
from pipelint.sandbox.salesforce.org import COLLEAGUE, INTEGRATION_USER, MANAGER
from pipelint.sandbox.salesforce.stages import FORECAST_CATEGORIES, RECORD_TYPE_STAGES, STAGES
from pipelint.sandbox.salesforce.store import Store, Value
from pipelint.sandbox.salesforce.validation import RULES
from pipelint.sandbox.salesforce.values import stamp

ZONE = "Europe/Paris"
STANDARD_USER = "Standard User"
LEAD_QUEUE = "Inbound leads"
"""Owns leads that nobody has taken yet."""
LOSS_REASONS = ("Price", "No decision", "Competitor", "No budget", "Timing", "Missing feature")


@dataclass(slots=True)
class Setup:
    """Inserts setup records, stamped alike."""

    store: Store
    clock: Clock
    user_id: str = ""
    """Who set it all up: the first user."""
    colleague: str = ""
    """The colleague in sales operations, as whom `Org` acts."""

    def insert(self, sobject: str, **values: Value) -> str:
        """One record; answers its id."""
        target = self.store.schema[sobject]
        record_id = self.store.reserve(target)[0]
        now = stamp(self.clock.now())
        audit = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now,
                 "CreatedById": self.user_id, "LastModifiedById": self.user_id}  # fmt: skip
        known = {name: value for name, value in audit.items() if name in target.fields}
        if "CurrencyIsoCode" in target.fields:
            known["CurrencyIsoCode"] = currencies.CORPORATE
        self.store.insert(target, {"Id": record_id, **known, **values})
        return record_id

    def user(
        self, first: str, last: str, profile: str, *, username: str = "", role: str | None = None,
        manager: str | None = None, title: str | None = None, active: bool = True,
    ) -> str:  # fmt: skip
        """One user, with the permissions of the profile."""
        name = username or f"{ascii_name(first)}.{ascii_name(last)}@sandbox.example"
        user_id = self.insert(
            "User",
            Username=name, Email=name, FirstName=first, LastName=last, Name=f"{first} {last}",
            Alias=(first[:1] + last)[:8].lower(), Title=title, IsActive=int(active), TimeZoneSidKey=ZONE,
            LocaleSidKey="fr_FR", LanguageLocaleKey="en_US", UserType="Standard", ManagerId=manager,
            UserRoleId=role, ProfileId=self._id("Profile", profile),
        )  # fmt: skip
        self.insert(
            "PermissionSetAssignment", AssigneeId=user_id, PermissionSetId=self._id("PermissionSet", profile)
        )
        return user_id

    def _id(self, sobject: str, name: str) -> str:
        found = self.store.find(self.store.schema[sobject], Name=name)
        assert found is not None  # noqa: S101 - set up a moment ago
        return str(found["Id"])


def set_up(store: Store, clock: Clock, *, validation_rules: bool) -> Setup:
    """Everything but the people and deals of sales."""
    setup = Setup(store, clock)
    setup.user_id = store.reserve(store.schema["User"])[0]
    setup.insert(
        "Organization", Name="Sandbox SA", InstanceName="LOCAL", IsSandbox=1,
        OrganizationType="Enterprise Edition", DefaultLocaleSidKey="fr_FR", LanguageLocaleKey="en_US",
        TimeZoneSidKey=ZONE, FiscalYearStartMonth=1,
    )  # fmt: skip
    for name in (ADMINISTRATOR, STANDARD_USER, READ_ONLY):
        # Each profile carries a hidden permission set: that is how it grants field access.
        profile = setup.insert("Profile", Name=name)
        all_data = int(name == ADMINISTRATOR)
        owned = setup.insert("PermissionSet", Name=name, Label=name, IsOwnedByProfile=1, ProfileId=profile,
                             PermissionsViewAllData=all_data, PermissionsModifyAllData=all_data)  # fmt: skip
        for shared in ("Account", "Contact", "Lead", "Opportunity"):
            setup.insert("ObjectPermissions", ParentId=owned, SobjectType=shared, PermissionsRead=1,
                         PermissionsEdit=int(name != READ_ONLY), PermissionsViewAllRecords=all_data,
                         PermissionsModifyAllRecords=all_data)  # fmt: skip
    _stages(setup)
    if store.schema.get("CurrencyType"):
        currencies.set_up(setup)
    setup.insert("Pricebook2", Name="Standard Price Book", IsActive=1, IsStandard=1)
    for sobject in store.schema:
        if sobject.createable and not sobject.tooling:
            setup.insert("EntityDefinition", QualifiedApiName=sobject.name, DeveloperName=sobject.name,
                         Label=sobject.label, KeyPrefix=sobject.prefix)  # fmt: skip
    define_fields(store)
    _custom_fields(setup)
    if validation_rules:
        _validation_rules(setup)
    setup.user("Pipelint", "Integration", ADMINISTRATOR, username=INTEGRATION_USER)
    setup.colleague = setup.user("Odile", "Ravel", ADMINISTRATOR, username=COLLEAGUE)
    setup.insert("Group", Name=LEAD_QUEUE, DeveloperName="Inbound_Leads", Type="Queue")
    setup.user("Martin", "Keller", READ_ONLY, username=MANAGER, title="Sales Director")
    return setup


def _stages(setup: Setup) -> None:
    api = {label: name for name, label in FORECAST_CATEGORIES}
    for order, stage in enumerate(STAGES, start=1):
        setup.insert(
            "OpportunityStage", MasterLabel=stage.name, ApiName=stage.name, SortOrder=order,
            IsActive=int(stage.active), IsClosed=int(stage.closed), IsWon=int(stage.won),
            DefaultProbability=float(stage.probability), ForecastCategoryName=stage.category,
            ForecastCategory=api[stage.category],
        )  # fmt: skip
    for developer_name in RECORD_TYPE_STAGES:
        name = developer_name.replace("_", " ")
        process = setup.insert("BusinessProcess", Name=name, TableEnumOrId="Opportunity", IsActive=1)
        setup.insert("RecordType", Name=name, DeveloperName=developer_name, SobjectType="Opportunity",
                     IsActive=1, BusinessProcessId=process)  # fmt: skip


def _long_text(label: str) -> dict[str, object]:
    return {"type": "LongTextArea", "label": label, "length": 4000, "visibleLines": 4}


def _picklist(label: str, values: tuple[str, ...]) -> dict[str, object]:
    definition = {
        "sorted": False,
        "value": [{"valueName": it, "label": it, "default": False} for it in values],
    }
    return {
        "type": "Picklist",
        "label": label,
        "valueSet": {"restricted": True, "valueSetDefinition": definition},
    }


CUSTOM_FIELDS: Mapping[str, Mapping[str, object]] = {
    "Need__c": _long_text("Need"),
    "Decision_Makers__c": {"type": "Text", "label": "Decision makers", "length": 255},
    "Budget__c": {"type": "Text", "label": "Budget", "length": 255},
    "Deadline__c": {"type": "Date", "label": "Customer deadline"},
    "Risk__c": {"type": "Text", "label": "Main risk", "length": 255},
    "Loss_Reason__c": _picklist("Loss reason", LOSS_REASONS),
    "Next_Step_Date__c": {"type": "Date", "label": "Next step date"},
}
"""What this organisation added to the opportunity long before pipelint came."""


def _custom_fields(setup: Setup) -> None:
    fields = CustomFields(setup.store, setup.clock)
    profiles = setup.store.find_all(setup.store.schema["PermissionSet"])
    for name, metadata in CUSTOM_FIELDS.items():
        fields.create(f"Opportunity.{name}", metadata, setup.user_id)
        for profile in profiles:
            setup.insert(
                "FieldPermissions", ParentId=profile["Id"], SobjectType="Opportunity",
                Field=f"Opportunity.{name}", PermissionsRead=1,
                PermissionsEdit=int(profile["Name"] != READ_ONLY),
            )  # fmt: skip


def _validation_rules(setup: Setup) -> None:
    entity = setup.store.find(setup.store.schema["EntityDefinition"], QualifiedApiName="Opportunity") or {}
    for rule in RULES:
        metadata = {"active": rule.active, "errorConditionFormula": rule.formula,
                    "errorMessage": rule.message, "errorDisplayField": rule.field,
                    "description": None}  # fmt: skip
        setup.insert(
            "ValidationRule", ValidationName=rule.name, Active=int(rule.active), ErrorMessage=rule.message,
            ErrorDisplayField=rule.field, EntityDefinitionId=entity["Id"], ManageableState="unmanaged",
            FullName=f"Opportunity.{rule.name}", Metadata=json.dumps(metadata),
        )  # fmt: skip
