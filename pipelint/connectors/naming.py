"""What our own fields are called in each CRM, unless the pack's `crm_fields` say otherwise (architecture §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def field_name(crm: str, label: str) -> str:
    """The CRM's name for the field with this label.

    >>> field_name("salesforce", "Pipelint flagged since")
    'Pipelint_Flagged_Since__c'
    """
    return _STYLES.get(crm, _snake)(label)


def _custom_field(label: str) -> str:
    return "_".join(word.capitalize() for word in label.split()) + "__c"


def _snake(label: str) -> str:
    return "_".join(label.casefold().split())


_STYLES: Mapping[str, Callable[[str], str]] = {
    "salesforce": _custom_field,
    "pipedrive": str,  # it makes its own keys; people know fields by their labels
}
