"""What was done with whom: tasks, events, who else took part, and e-mails (fact sheet §4).

Each activity names one person and one thing itself; further participants have relation rows of their own.
"""

from __future__ import annotations

from pipelint.sandbox.salesforce.fields import area, flag, lookup, picklist, text, typed
from pipelint.sandbox.salesforce.schema import SObject, sobject

TASK_STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")

_WHO = ("Contact", "Lead")
_WHAT = ("Account", "Opportunity")

TASK = sobject(
    "Task",
    "00T",
    lookup("WhoId", *_WHO, children="Tasks"),
    lookup("WhatId", *_WHAT, children="Tasks"),
    lookup("AccountId", "Account", read_only=True),
    text("Subject", 255),
    typed("ActivityDate", "date"),
    picklist("Status", TASK_STATUSES, required=True, default="Not Started"),
    picklist("Priority", ("High", "Normal", "Low"), required=True, default="Normal"),
    flag("IsHighPriority", read_only=True),
    lookup("OwnerId", "User"),
    area("Description"),
    picklist("TaskSubtype", ("Task", "Email", "ListEmail", "Call", "LinkedIn", "Cadence"), restricted=True),
    picklist("CallType", ("Internal", "Inbound", "Outbound"), restricted=True),
    typed("CallDurationInSeconds", "int"),
    text("CallDisposition", 255),
    flag("IsClosed", read_only=True),
    flag("IsArchived", read_only=True),
    flag("IsRecurrence", read_only=True),
    typed("CompletedDateTime", "datetime", read_only=True),
    allows="cud",
    indexes=("WhatId", "WhoId"),
)

EVENT = sobject(
    "Event",
    "00U",
    lookup("WhoId", *_WHO, children="Events"),
    lookup("WhatId", *_WHAT, children="Events"),
    lookup("AccountId", "Account", read_only=True),
    text("Subject", 255),
    text("Location", 255),
    flag("IsAllDayEvent"),
    typed("ActivityDateTime", "datetime", read_only=True),
    typed("ActivityDate", "date", read_only=True),
    typed("DurationInMinutes", "int", read_only=True),
    typed("StartDateTime", "datetime", required=True),
    typed("EndDateTime", "datetime", required=True),
    area("Description"),
    lookup("OwnerId", "User"),
    flag("IsPrivate"),
    picklist("EventSubtype", ("Event",), read_only=True),
    flag("IsChild", read_only=True),
    flag("IsArchived", read_only=True),
    flag("IsRecurrence", read_only=True),
    allows="cud",
    indexes=("WhatId", "WhoId"),
)


TASK_RELATION = sobject(
    "TaskRelation",
    "0RT",
    lookup("RelationId", *_WHO, *_WHAT, required=True, updateable=False),
    lookup("TaskId", "Task", children="TaskRelations", required=True, updateable=False),
    flag("IsWhat", read_only=True),
    lookup("AccountId", "Account", read_only=True),
    allows="cd",
    indexes=("TaskId",),
)

EVENT_RELATION = sobject(
    "EventRelation",
    "0RE",
    lookup("RelationId", *_WHO, *_WHAT, "User", required=True, updateable=False),
    lookup("EventId", "Event", children="EventRelations", required=True, updateable=False),
    flag("IsWhat", read_only=True),
    flag("IsParent"),
    flag("IsInvitee"),
    picklist("Status", ("New", "Declined", "Accepted"), restricted=True),
    typed("RespondedDate", "datetime"),
    lookup("AccountId", "Account", read_only=True),
    allows="cud",
    indexes=("EventId",),
)

EMAIL_MESSAGE = sobject(
    "EmailMessage",
    "02s",
    lookup("ActivityId", "Task", read_only=True),
    lookup("RelatedToId", *_WHAT, children="EmailMessages"),
    text("Subject", 3000),
    area("TextBody", 131_072),
    text("FromAddress", 1000),
    text("FromName", 1000),
    text("ToAddress", 4000),
    flag("Incoming"),
    picklist("Status", ("0", "1", "2", "3", "4", "5"), required=True, restricted=True, default="3"),
    typed("MessageDate", "datetime"),
    flag("HasAttachment", read_only=True),
    flag("IsExternallyVisible"),
    allows="cud",
    indexes=("ActivityId", "RelatedToId"),
)

ACTIVITY_OBJECTS: tuple[SObject, ...] = (TASK, EVENT, TASK_RELATION, EVENT_RELATION, EMAIL_MESSAGE)
