"""The properties that HubSpot itself defines, by object type."""

from __future__ import annotations

from collections.abc import Iterator

from pipelint.sandbox.hubspot.object_types import (
    CALLS,
    COMPANIES,
    CONTACTS,
    DEALS,
    EMAILS,
    LEADS,
    LINE_ITEMS,
    MEETINGS,
    NOTES,
    TASKS,
    ObjectType,
)
from pipelint.sandbox.hubspot.property import Option, Property

_KINDS: dict[str, tuple[str, str]] = {
    "text": ("string", "text"),
    "long": ("string", "textarea"),
    "html": ("string", "html"),
    "phone": ("string", "phonenumber"),
    "number": ("number", "number"),
    "date": ("date", "date"),
    "moment": ("datetime", "date"),
    "bool": ("bool", "booleancheckbox"),
    "one": ("enumeration", "select"),
    "many": ("enumeration", "checkbox"),
    "external": ("enumeration", "select"),
}

BUYING_ROLES = {
    "BLOCKER": "Blocker",
    "BUDGET_HOLDER": "Budget Holder",
    "CHAMPION": "Champion",
    "DECISION_MAKER": "Decision Maker",
    "END_USER": "End User",
    "EXECUTIVE_SPONSOR": "Executive Sponsor",
    "INFLUENCER": "Influencer",
    "LEGAL_AND_COMPLIANCE": "Legal & Compliance",
    "OTHER": "Other",
}
LIFECYCLE_STAGES = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "marketingqualifiedlead": "Marketing Qualified Lead",
    "salesqualifiedlead": "Sales Qualified Lead",
    "opportunity": "Opportunity",
    "customer": "Customer",
    "evangelist": "Evangelist",
    "other": "Other",
}
"""In order: writing an earlier one is ignored unless the value was cleared first (fact sheet §8)."""
LEAD_STATUSES = {
    "NEW": "New", "OPEN": "Open", "IN_PROGRESS": "In Progress", "OPEN_DEAL": "Open Deal",
    "UNQUALIFIED": "Unqualified", "ATTEMPTED_TO_CONTACT": "Attempted to Contact",
    "CONNECTED": "Connected", "BAD_TIMING": "Bad Timing",
}  # fmt: skip
FORECAST_CATEGORIES = {
    "OMIT": "Not forecasted", "PIPELINE": "Pipeline", "BEST_CASE": "Best case", "COMMIT": "Commit",
    "CLOSED": "Closed won",
}  # fmt: skip

_CHOICES: dict[str, dict[str, str]] = {
    "dealtype": {"newbusiness": "New Business", "existingbusiness": "Existing Business"},
    "hs_priority": {"low": "Low", "medium": "Medium", "high": "High"},
    "hs_manual_forecast_category": FORECAST_CATEGORIES,
    "deal_currency_code": {"EUR": "Euro", "USD": "US Dollar", "GBP": "British Pound"},
    "hs_buying_role": BUYING_ROLES,
    "lifecyclestage": LIFECYCLE_STAGES,
    "hs_lead_status": LEAD_STATUSES,
    "hs_lead_type": {"NEW_BUSINESS": "New business", "UPSELL": "Upsell", "RE_ATTEMPTING": "Re-attempting"},
    "hs_lead_label": {"WARM": "Warm", "HOT": "Hot", "COLD": "Cold"},
    "hs_call_direction": {"INBOUND": "Inbound", "OUTBOUND": "Outbound"},
    "hs_call_status": {"COMPLETED": "Completed", "NO_ANSWER": "No answer", "BUSY": "Busy", "FAILED": "Failed",
                       "CANCELED": "Canceled", "QUEUED": "Queued", "RINGING": "Ringing"},
    "hs_meeting_outcome": {"SCHEDULED": "Scheduled", "COMPLETED": "Completed", "RESCHEDULED": "Rescheduled",
                           "NO_SHOW": "No show", "CANCELED": "Canceled"},
    "hs_task_status": {"NOT_STARTED": "Not started", "IN_PROGRESS": "In progress", "WAITING": "Waiting",
                       "DEFERRED": "Deferred", "COMPLETED": "Completed"},
    "hs_task_priority": {"NONE": "None", "LOW": "Low", "MEDIUM": "Medium", "HIGH": "High"},
    "hs_task_type": {"TODO": "To-do", "CALL": "Call", "EMAIL": "Email"},
    "hs_email_direction": {"EMAIL": "Outgoing", "INCOMING_EMAIL": "Incoming",
                           "FORWARDED_EMAIL": "Forwarded"},
    "hs_email_status": {"SENT": "Sent", "BOUNCED": "Bounced", "FAILED": "Failed", "SCHEDULED": "Scheduled",
                        "SENDING": "Sending"},
}  # fmt: skip

_EVERYWHERE = """
hs_object_id|Record ID|number|read
hubspot_owner_id|Owner|external
hs_created_by_user_id|Created by user ID|number|read
hs_updated_by_user_id|Updated by user ID|number|read
hs_merged_object_ids|Merged record IDs|many|read
"""

_ROLL_UPS = """
notes_last_updated|Last Activity Date|moment|read
notes_last_contacted|Last Contacted|moment|read
notes_next_activity_date|Next Activity Date|moment|read
num_notes|Number of Sales Activities|number|read
num_contacted_notes|Number of times contacted|number|read
"""

_DEALS = """
dealname|Deal Name|text
pipeline|Pipeline|external
dealstage|Deal Stage|external
amount|Amount|number
closedate|Close Date|moment
createdate|Create Date|moment|read
hs_lastmodifieddate|Last Modified Date|moment|read
dealtype|Deal Type|one
description|Deal Description|long
hs_next_step|Next step|long
hs_priority|Priority|one
closed_lost_reason|Closed Lost Reason|long
closed_won_reason|Closed Won Reason|long
deal_currency_code|Currency|one
hs_manual_forecast_category|Forecast category|one
hs_forecast_probability|Forecast probability|number
hs_deal_stage_probability|Deal probability|number|calculated
hs_projected_amount|Weighted amount|number|calculated
hs_forecast_amount|Forecast amount|number|calculated
amount_in_home_currency|Amount in company currency|number|calculated
hs_exchange_rate|Exchange rate|number|calculated
hs_closed_amount|Closed Deal Amount|number|calculated
days_to_close|Days to close|number|calculated
hs_is_closed|Is Deal Closed?|bool|calculated
hs_is_closed_won|Is Closed Won|bool|calculated
hs_is_closed_lost|Is closed lost|bool|calculated
hs_v2_date_entered_current_stage|Date entered current stage|moment|calculated
hs_v2_time_in_current_stage|Time in current stage|moment|calculated
num_associated_contacts|Number of Associated Contacts|number|calculated
"""

_CONTACTS = """
email|Email|text
firstname|First Name|text
lastname|Last Name|text
jobtitle|Job Title|text
phone|Phone Number|phone
company|Company Name|text
city|City|text
country|Country/Region|text
lifecyclestage|Lifecycle Stage|one
hs_lead_status|Lead Status|one
hs_buying_role|Buying Role|many
hs_analytics_source_data_1|Original source drill-down 1|text
createdate|Create Date|moment|read
lastmodifieddate|Last Modified Date|moment|read
"""

_COMPANIES = """
name|Company name|text
domain|Company Domain Name|text
industry|Industry|text
numberofemployees|Number of Employees|number
annualrevenue|Annual Revenue|number
city|City|text
country|Country/Region|text
website|Website URL|text
lifecyclestage|Lifecycle Stage|one
createdate|Create Date|moment|read
hs_lastmodifieddate|Last Modified Date|moment|read
"""

_LINE_ITEMS = """
name|Name|text
quantity|Quantity|number
price|Unit price|number
amount|Net price|number|calculated
hs_sku|SKU|text
hs_product_id|Product ID|text
createdate|Create Date|moment|read
hs_lastmodifieddate|Last Modified Date|moment|read
"""

_LEADS = """
hs_lead_name|Lead name|text
hs_pipeline|Lead pipeline|external
hs_pipeline_stage|Lead stage|external
hs_lead_type|Lead type|one
hs_lead_label|Lead label|one
"""

_ACTIVITY = """
hs_timestamp|Activity date|moment
hs_createdate|Create Date|moment|read
hs_lastmodifieddate|Last Modified Date|moment|read
"""

_ACTIVITIES: dict[str, str] = {
    "calls": """
hs_call_title|Call Title|text
hs_call_body|Call notes|html
hs_call_direction|Call direction|one
hs_call_disposition|Call outcome|text
hs_call_status|Call status|one
hs_call_duration|Call duration|number
""",
    "meetings": """
hs_meeting_title|Meeting name|text
hs_meeting_body|Meeting description|html
hs_meeting_start_time|Meeting start time|moment
hs_meeting_end_time|Meeting end time|moment
hs_meeting_outcome|Meeting outcome|one
""",
    "tasks": """
hs_task_subject|Task Title|text
hs_task_body|Notes|html
hs_task_status|Task Status|one
hs_task_priority|Priority|one
hs_task_type|Task Type|one
hs_task_completion_date|Completed at|moment|read
""",
    "notes": """
hs_note_body|Note body|html
""",
    "emails": """
hs_email_subject|Email subject|text
hs_email_text|Email body|long
hs_email_html|Email body (HTML)|html
hs_email_direction|Email Direction|one
hs_email_status|Email send status|one
hs_email_from_email|Email from address|text|read
hs_email_to_email|Email to address|text|read
""",
}

_TABLES: dict[ObjectType, str] = {
    DEALS: _DEALS + _ROLL_UPS,
    CONTACTS: _CONTACTS + _ROLL_UPS,
    COMPANIES: _COMPANIES + _ROLL_UPS,
    LINE_ITEMS: _LINE_ITEMS,
    LEADS: _LEADS + "hs_createdate|Create Date|moment|read\nhs_lastmodifieddate|Last Modified|moment|read\n",
    **{it: _ACTIVITIES[it.name] + _ACTIVITY for it in (CALLS, MEETINGS, TASKS, NOTES, EMAILS)},
}


def group_of(kind: ObjectType) -> str:
    """The group that HubSpot's own properties of this type stand in."""
    return f"{kind.singular.replace('_', '')}information"


def standard_properties(kind: ObjectType) -> Iterator[Property]:
    """Everything HubSpot defines for this type, apart from what follows from the stages of pipelines."""
    for line in (_TABLES[kind] + _EVERYWHERE).split("\n"):
        if line:
            name, label, shape, *flags = line.split("|")
            type_, field_type = _KINDS[shape]
            choices = {"true": "True", "false": "False"} if shape == "bool" else _CHOICES.get(name, {})
            yield Property(
                name,
                label,
                type_,
                field_type,
                group_of(kind),
                tuple(Option(value, text) for value, text in choices.items()),
                external=shape == "external",
                read_only="read" in flags,
                calculated="calculated" in flags,
                hidden=name == "hs_merged_object_ids",
            )
