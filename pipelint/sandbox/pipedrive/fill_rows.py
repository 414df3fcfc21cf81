"""Rows that follow from one generated thing alone: activities, the change log, mail, products, leads."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from pipelint.sandbox.organisation import LOST, WON, Activity, Deal, Lead
from pipelint.sandbox.pipedrive.params import utc_text
from pipelint.sandbox.pipedrive.store import Row
from pipelint.sandbox.pipedrive.values import logged


def activity_row(activity: Activity, person: int | None, now: datetime) -> Row:
    """An activity; of an e-mail only the subject tells the direction."""
    subject = activity.subject
    if activity.kind == "email":
        subject = f"Re: {subject}" if activity.inbound else f"Email: {subject}"
    created = utc_text(min(activity.at, now - timedelta(days=1)))
    return {
        "subject": subject,
        "type": activity.kind,
        "is_deleted": False,
        "add_time": created,
        "update_time": created,
        "person_id": person,
        "participants": [] if person is None else [{"person_id": person, "primary": True}],
        "due_date": activity.at.date().isoformat(),
        "due_time": utc_text(activity.at)[11:19],
        "duration": "01:00:00" if activity.kind == "meeting" else "00:15:00",
        "busy": activity.kind == "meeting",
        "done": activity.done,
        "marked_as_done_time": utc_text(activity.at) if activity.done else None,
    }


def change_rows(deal: Deal, stages: list[tuple[int, datetime]], next_step: str) -> Iterator[Row]:
    """The birth of a deal and all changes, oldest first; `next_step` is the code of that field."""
    keys = {"close_date": "expected_close_date", "amount": "value", "next_step": next_step}
    born = deal.created_at
    moves: list[tuple[datetime, str, Any, Any]] = [(born, "add_time", None, utc_text(born))]
    moves += [(at, "stage_id", old, new) for (old, _), (new, at) in pairwise(stages)]
    moves += [(it.at, keys[it.field], it.old, it.new) for it in deal.changes]
    if deal.stage in {WON, LOST}:
        moves.append((deal.stages[-1][1], "status", "open", "won" if deal.stage == WON else "lost"))
    for at, key, old, new in sorted(moves, key=lambda move: move[0]):
        yield {
            "field_key": key,
            "old_value": logged(old),
            "new_value": logged(new),
            "time": utc_text(at),
            "change_source": "app",
            "is_bulk_update_flag": False,
        }


def mail_times(deal: Deal) -> Row:
    """When mail last came and went, as the mail sync of Pipedrive notes it."""
    mails = [it for it in deal.activities if it.kind == "email" and it.done]
    came = [utc_text(it.at) for it in mails if it.inbound]
    went = [utc_text(it.at) for it in mails if not it.inbound]
    return {
        "last_incoming_mail_time": max(came, default=None),
        "last_outgoing_mail_time": max(went, default=None),
        "email_messages_count": len(mails),
    }


def product_rows(deal: Deal, known: dict[str, int]) -> Iterator[Row]:
    """The products on a deal; `known` gathers the catalogue."""
    for order, (name, quantity, price) in enumerate(deal.items, start=1):
        yield {
            "sum": price * quantity,
            "tax": 0,
            "name": name,
            "product_id": known.setdefault(name, len(known) + 1),
            "order_nr": order,
            "add_time": utc_text(deal.created_at),
            "update_time": utc_text(deal.created_at),
            "comments": "",
            "discount": 0,
            "quantity": quantity,
            "item_price": price,
            "tax_method": "exclusive",
            "discount_type": "percentage",
            "is_enabled": True,
            "billing_frequency": "one-time",
        }


def lead_row(lead: Lead, owner: int, random: Random, custom: Row) -> Row:
    """A lead; seen once somebody has answered, archived when it was dropped."""
    return {
        "id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
        "title": f"{lead.company} lead",
        "owner_id": owner,
        "creator_id": owner,
        "label_ids": [],
        "source_name": "API",
        "origin": "API",
        "is_archived": lead.status == "dropped",
        "was_seen": lead.touched_at is not None,
        "add_time": utc_text(lead.created_at),
        "update_time": utc_text(lead.touched_at or lead.created_at),
        "visible_to": "3",
        "cc_email": "sandbox@pipedrivemail.example",
        "custom_fields": custom,
    }
