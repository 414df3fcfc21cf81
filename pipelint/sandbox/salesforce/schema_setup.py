"""The objects an administrator works with: users, permissions, stages, and the Tooling API's metadata."""

from __future__ import annotations

from pipelint.sandbox.salesforce.fields import Field, area, flag, lookup, number, picklist, text, typed
from pipelint.sandbox.salesforce.schema import AUDIT, MODIFIED, STAMP, SObject, sobject

_METADATA = Field("Metadata", "json", "Metadata")
"""The complex value of a Tooling object; a query that asks for it may find one row only (fact sheet §7)."""

_FULL_NAME = text("FullName", 255)

USER = sobject(
    "User",
    "005",
    text("Username", 80, required=True),
    text("LastName", 80, required=True),
    text("FirstName", 40),
    text("Name", 121, read_only=True),
    text("CompanyName", 80),
    text("Department", 80),
    text("Title", 80),
    typed("Email", "email", 128, required=True),
    text("Alias", 8, required=True),
    flag("IsActive", default=True),
    text("TimeZoneSidKey", 40, required=True),
    text("LocaleSidKey", 40, required=True),
    text("LanguageLocaleKey", 40, required=True),
    lookup("UserRoleId", "UserRole", children="Users"),
    lookup("ProfileId", "Profile", children="Users", required=True),
    picklist("UserType", ("Standard",), read_only=True),
    lookup("ManagerId", "User", children="ManagedUsers"),
    typed("LastLoginDate", "datetime", read_only=True),
    system=AUDIT,
    allows="cu",
)

USER_ROLE = sobject(
    "UserRole",
    "00E",
    text("Name", 80, required=True),
    lookup("ParentRoleId", "UserRole"),
    text("DeveloperName", 80),
    system=(*MODIFIED, STAMP),
    allows="cu",
    label="Role",
)

PROFILE = sobject("Profile", "00e", text("Name", 255), text("Description"), system=AUDIT)

GROUP = sobject(
    "Group",
    "00G",
    text("Name", 40, required=True),
    text("DeveloperName", 80),
    picklist("Type", ("Regular", "Role", "Queue", "Organization"), restricted=True),
    system=AUDIT,
)

ORGANIZATION = sobject(
    "Organization",
    "00D",
    text("Name", 80),
    text("InstanceName", 5),
    flag("IsSandbox"),
    text("OrganizationType", 40),
    text("DefaultLocaleSidKey", 40),
    text("LanguageLocaleKey", 40),
    text("TimeZoneSidKey", 40),
    typed("FiscalYearStartMonth", "int"),
    system=AUDIT,
)

RECORD_TYPE = sobject(
    "RecordType",
    "012",
    text("Name", 80),
    text("DeveloperName", 80),
    text("Description"),
    picklist("SobjectType"),
    flag("IsActive", default=True),
    lookup("BusinessProcessId", "BusinessProcess"),
    system=AUDIT,
)

BUSINESS_PROCESS = sobject(
    "BusinessProcess",
    "019",
    text("Name", 80),
    text("Description"),
    picklist("TableEnumOrId"),
    flag("IsActive", default=True),
    system=AUDIT,
    plural="Business Processes",
)

OPPORTUNITY_STAGE = sobject(
    "OpportunityStage",
    "01J",
    text("MasterLabel"),
    text("ApiName"),
    flag("IsActive"),
    typed("SortOrder", "int"),
    flag("IsClosed"),
    flag("IsWon"),
    picklist("ForecastCategory"),
    picklist("ForecastCategoryName"),
    number("DefaultProbability", "percent", precision=3, scale=0),
    text("Description"),
    system=AUDIT,
)

PERMISSION_SET = sobject(
    "PermissionSet",
    "0PS",
    text("Name", 80, required=True),
    text("Label", 80, required=True),
    text("Description", 255),
    flag("IsOwnedByProfile", read_only=True),
    flag("IsCustom", read_only=True),
    flag("PermissionsViewAllData"),
    flag("PermissionsModifyAllData"),
    lookup("ProfileId", "Profile", read_only=True),
    system=AUDIT,
    allows="cud",
)

PERMISSION_SET_ASSIGNMENT = sobject(
    "PermissionSetAssignment",
    "0Pa",
    lookup("PermissionSetId", "PermissionSet", children="Assignments", required=True, updateable=False),
    lookup("AssigneeId", "User", children="PermissionSetAssignments", required=True, updateable=False),
    system=(STAMP,),
    allows="cd",
)

FIELD_PERMISSIONS = sobject(
    "FieldPermissions",
    "01k",
    lookup("ParentId", "PermissionSet", children="FieldPerms", required=True, updateable=False),
    picklist("SobjectType", required=True),
    picklist("Field", required=True),
    flag("PermissionsEdit"),
    flag("PermissionsRead"),
    system=(STAMP,),
    allows="cud",
    label="Field Permissions",
    plural="Field Permissions",
)

OBJECT_PERMISSIONS = sobject(
    "ObjectPermissions",
    "110",
    lookup("ParentId", "PermissionSet", children="ObjectPerms", required=True, updateable=False),
    picklist("SobjectType", required=True),
    flag("PermissionsCreate"),
    flag("PermissionsRead"),
    flag("PermissionsEdit"),
    flag("PermissionsDelete"),
    flag("PermissionsViewAllRecords"),
    flag("PermissionsModifyAllRecords"),
    system=(STAMP,),
    allows="cud",
    label="Object Permissions",
    plural="Object Permissions",
)

ENTITY_DEFINITION = sobject(
    "EntityDefinition",
    "4ie",
    text("QualifiedApiName", 70),
    text("DeveloperName", 40),
    text("Label", 40),
    text("KeyPrefix", 3),
    system=(),
    tooling=True,
)

FIELD_DEFINITION = sobject(
    "FieldDefinition",
    "4fd",
    text("DurableId", 80),
    text("QualifiedApiName", 70),
    text("DeveloperName", 40),
    text("Label", 40),
    text("DataType", 40),
    lookup("EntityDefinitionId", "EntityDefinition"),
    flag("IsFieldHistoryTracked"),
    system=(),
    tooling=True,
)

CUSTOM_FIELD = sobject(
    "CustomField",
    "00N",
    text("DeveloperName", 40),
    picklist("TableEnumOrId"),
    text("NamespacePrefix", 15),
    text("ManageableState", 20),
    area("Description"),
    area("InlineHelpText", 510),
    typed("Length", "int"),
    typed("Precision", "int"),
    typed("Scale", "int"),
    _FULL_NAME,
    _METADATA,
    system=AUDIT,
    tooling=True,
    allows="cud",
)

VALIDATION_RULE = sobject(
    "ValidationRule",
    "03d",
    text("ValidationName", 40),
    lookup("EntityDefinitionId", "EntityDefinition"),
    flag("Active"),
    area("Description"),
    area("ErrorMessage", 255),
    text("ErrorDisplayField"),
    text("NamespacePrefix", 15),
    text("ManageableState", 20),
    _FULL_NAME,
    _METADATA,
    system=AUDIT,
    tooling=True,
)

SETUP_OBJECTS: tuple[SObject, ...] = (
    USER, USER_ROLE, PROFILE, GROUP, ORGANIZATION, RECORD_TYPE, BUSINESS_PROCESS, OPPORTUNITY_STAGE,
    PERMISSION_SET, PERMISSION_SET_ASSIGNMENT, FIELD_PERMISSIONS, OBJECT_PERMISSIONS, ENTITY_DEFINITION,
    FIELD_DEFINITION, CUSTOM_FIELD, VALIDATION_RULE,
)  # fmt: skip
