"""The fields of deals, persons and organizations: built in, and custom ones under a 40-character code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, TypeAlias

from pipelint.sandbox.pipedrive.errors import PipedriveError, invalid, not_found
from pipelint.sandbox.pipedrive.store import Store
from pipelint.sandbox.pipedrive.values import FIELD_TYPES

FieldDocument: TypeAlias = dict[str, Any]

OBJECTS = ("deals", "persons", "organizations")
PLACES = ("ui_visibility", "important_fields", "required_fields")
"""What a field shows only when asked: where it stands, and where the admin wants it filled."""

_BUILT_IN = {
    "deals": """
        id:int:ID title:varchar:Title creator_user_id:user:Creator owner_id:user:Owner value:monetary:Value
        person_id:people:Contact_person org_id:org:Organization pipeline_id:int:Pipeline stage_id:stage:Stage
        status:status:Status probability:int:Probability lost_reason:varchar_options:Lost_reason
        visible_to:visible_to:Visible_to label_ids:set:Label add_time:date:Deal_created
        update_time:date:Update_time stage_change_time:date:Last_stage_change close_time:date:Deal_closed_on
        won_time:date:Won_time lost_time:date:Lost_time expected_close_date:date:Expected_close_date
        next_activity_id:activity:Next_activity last_activity_id:activity:Last_activity
    """,
    "persons": """
        id:int:ID name:varchar:Name owner_id:user:Owner org_id:org:Organization emails:varchar:Email
        phones:phone:Phone label_ids:set:Label visible_to:visible_to:Visible_to add_time:date:Person_created
        update_time:date:Update_time
    """,
    "organizations": """
        id:int:ID name:varchar:Name owner_id:user:Owner label_ids:set:Label address:address:Address
        website:varchar:Website industry:enum:Industry annual_revenue:double:Annual_revenue
        employee_count:int:Employee_count visible_to:visible_to:Visible_to
        add_time:date:Organization_created update_time:date:Update_time
    """,
}
_OPTIONAL = ("next_activity_id", "last_activity_id")


def _places() -> FieldDocument:
    return {
        "ui_visibility": {
            "add_visible_flag": False,
            "details_visible_flag": True,
            "projects_detail_visible_flag": False,
            "show_in_pipelines": {"show_in_all": True, "pipeline_ids": []},
        },
        "important_fields": {"enabled": False, "stage_ids": []},
        "required_fields": {"enabled": False, "stage_ids": [], "statuses": {}},
    }


def _built_in(text: str) -> FieldDocument:
    code, kind, name = text.split(":")
    return {
        "field_name": name.replace("_", " "),
        "field_code": code,
        "description": None,
        "field_type": kind,
        "options": [] if kind in {"enum", "set"} else None,
        "subfields": None,
        "is_custom_field": False,
        "is_optional_response_field": code in _OPTIONAL,
        **_places(),
    }


class Fields:
    """All fields, kept as one document for each object."""

    def __init__(self, store: Store, *, most_custom: int) -> None:
        self._store = store
        self._most_custom = most_custom
        self._fields: dict[str, list[FieldDocument]] = {
            it: store.kept(f"{it} fields") or [_built_in(word) for word in _BUILT_IN[it].split()]
            for it in OBJECTS
        }
        self._last_option = int(store.kept("last option") or 0)

    def all(self, object_: str) -> list[FieldDocument]:
        return self._fields[object_]

    def custom(self, object_: str) -> dict[str, FieldDocument]:
        """Custom fields by code; leads share those of deals."""
        object_ = "deals" if object_ == "leads" else object_
        return {it["field_code"]: it for it in self._fields.get(object_, ()) if it["is_custom_field"]}

    def get(self, object_: str, code: str) -> FieldDocument:
        for field in self._fields[object_]:
            if field["field_code"] == code:
                return field
        raise not_found("Field")

    def by_name(self, object_: str, name: str) -> FieldDocument:
        """The first custom field with this name; names may repeat."""
        return next(it for it in self.custom(object_).values() if it["field_name"] == name)

    def create(self, object_: str, body: Mapping[str, Any]) -> FieldDocument:
        """Make a custom field.

        Raises:
            PipedriveError: 400 for what cannot be made, 403 when the plan allows no more.
        """
        problems = [f"{name}: Required" for name in ("field_name", "field_type") if not body.get(name)]
        kind, options = body.get("field_type"), body.get("options")
        if kind not in FIELD_TYPES and not problems:
            problems.append(f"field_type: Expected one of {', '.join(FIELD_TYPES)}")
        if kind in {"enum", "set"} and not options:
            problems.append(f"options: Required for {kind}")
        if kind not in {"enum", "set"} and options is not None:
            problems.append(f"options: Not allowed for {kind}")
        allowed = {"field_name", "field_type", "options", "description", *PLACES}
        problems += self._unfit(body, allowed)
        if problems:
            raise invalid(*problems)
        if len(self.custom(object_)) >= self._most_custom:
            code = f"feature_capping_{object_}_custom_fields_limit"
            raise PipedriveError(403, "Custom fields limit reached", code)
        number = sum(len(self.custom(it)) for it in OBJECTS) + self._last_option
        name = str(body["field_name"])
        field: FieldDocument = {
            "field_name": name,
            "field_code": hashlib.sha1(f"{object_} {name} {number}".encode()).hexdigest(),  # noqa: S324 - a key, no secret
            "description": body.get("description"),
            "field_type": kind,
            "options": None,
            "subfields": None,
            "is_custom_field": True,
            "is_optional_response_field": False,
            **_places(),
            **{place: body[place] for place in PLACES if place in body},
        }
        self._fields[object_].append(field)
        if options is not None:
            field["options"] = []
            self.add_options(object_, field["field_code"], options)
        self._keep(object_)
        return field

    def change(self, object_: str, code: str, body: Mapping[str, Any]) -> FieldDocument:
        field = self.get(object_, code)
        problems = self._unfit(body, {"field_name", "description", *PLACES})
        if not body:
            problems.append("body: At least one key is required")
        if not field["is_custom_field"] and "field_name" in body:
            problems.append("field_name: Only custom fields can be renamed")
        if problems:
            raise invalid(*problems)
        for name, value in body.items():
            field[name] = {**field[name], **value} if name in PLACES else value
        self._keep(object_)
        return field

    def delete(self, object_: str, code: str) -> FieldDocument:
        field = self._own(object_, code)
        self._fields[object_].remove(field)
        self._keep(object_)
        return field

    def add_options(self, object_: str, code: str, labels: object) -> list[FieldDocument]:
        """Add options, all or none; only the new ones are answered."""
        field = self._with_options(object_, code)
        wanted = _options(labels, "label")
        taken = {it["label"].casefold() for it in field["options"]}
        if any(it["label"].casefold() in taken for it in wanted):
            raise invalid("label: Option already exists")
        made = []
        for it in wanted:
            self._last_option += 1
            made.append({"id": self._last_option, "label": it["label"]})
        field["options"] += made
        self._keep(object_)
        return made

    def change_options(self, object_: str, code: str, body: object) -> list[FieldDocument]:
        known = {it["id"]: it for it in self._with_options(object_, code)["options"]}
        wanted = _options(body, "id", "label")
        if any(it["id"] not in known for it in wanted):
            raise invalid("id: Option does not exist")
        for it in wanted:
            known[it["id"]]["label"] = it["label"]
        self._keep(object_)
        return [known[it["id"]] for it in wanted]

    def delete_options(self, object_: str, code: str, body: object) -> list[FieldDocument]:
        """Delete options; records keep the ids that no longer stand for anything."""
        field = self._with_options(object_, code)
        wanted = {it["id"] for it in _options(body, "id")}
        gone = [it for it in field["options"] if it["id"] in wanted]
        if len(gone) < len(wanted):
            raise invalid("id: Option does not exist")
        field["options"] = [it for it in field["options"] if it["id"] not in wanted]
        self._keep(object_)
        return gone

    def _own(self, object_: str, code: str) -> FieldDocument:
        field = self.get(object_, code)
        if not field["is_custom_field"]:
            raise PipedriveError(403, "Only custom fields can be changed this way", "ERR_FORBIDDEN")
        return field

    def _with_options(self, object_: str, code: str) -> FieldDocument:
        field = self._own(object_, code)
        if field["options"] is None:
            raise invalid("field_code: The field has no options")
        return field

    def _unfit(self, body: Mapping[str, Any], allowed: set[str]) -> list[str]:
        problems = [f"{name}: Unknown key" for name in body if name not in allowed]
        name = body.get("field_name", "-")
        if not isinstance(name, str) or not 1 <= len(name) <= 255:
            problems.append("field_name: Expected 1 to 255 characters")
        problems += [f"{it}: Expected object" for it in PLACES if not isinstance(body.get(it, {}), dict)]
        return problems

    def _keep(self, object_: str) -> None:
        self._store.keep(f"{object_} fields", self._fields[object_])
        self._store.keep("last option", self._last_option)


def _options(body: object, *keys: str) -> list[FieldDocument]:
    """The entries of a body that is a bare array of options."""
    if not isinstance(body, list) or not body:
        raise invalid("body: Expected non-empty array")
    for it in body:
        if not isinstance(it, dict) or set(it) != set(keys):
            raise invalid(f"body: Expected objects with {' and '.join(keys)}")
        if "label" in it and (not isinstance(it["label"], str) or not it["label"]):
            raise invalid("label: Expected 1 to 255 characters")
    return body
