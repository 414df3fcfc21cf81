"""Readable views for people who open the cache in Datasette or a spreadsheet: names and ISO times."""

from __future__ import annotations

from collections.abc import Mapping


def _time(column: str, name: str) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%SZ', {column} / 1000000, 'unixepoch') AS {name}"


VIEWS: Mapping[str, str] = {
    "opportunities": f"""
        SELECT o.connection, o.id, o.name, a.name AS account, u.name AS owner,
          coalesce(p.label, o.pipeline) AS pipeline, coalesce(s.label, o.stage) AS stage,
          o.amount, o.currency, o.close_date, o.next_step, o.next_step_date,
          o.forecast_category, o.probability, o.is_open, o.is_won, o.type, o.source, o.lost_reason,
          {_time("o.stage_entered_at", "stage_entered_at")}, {_time("o.created_at", "created_at")},
          {_time("o.closed_at", "closed_at")}, {_time("o.last_activity_at", "last_activity_at")},
          {_time("o.next_activity_at", "next_activity_at")}, {_time("o.modified_at", "modified_at")},
          o.custom, o.url
        FROM opportunity o
        LEFT JOIN account a ON a.connection = o.connection AND a.id = o.account
        LEFT JOIN owner u ON u.connection = o.connection AND u.id = o.owner
        LEFT JOIN pipeline p ON p.connection = o.connection AND p.id = o.pipeline
        LEFT JOIN stage s ON s.connection = o.connection AND s.id = o.stage
          AND s.pipeline IN (o.pipeline, '')
    """,
    "accounts": f"""
        SELECT a.connection, a.id, a.name, a.industry, a.employees, u.name AS owner,
          (SELECT count(*) FROM opportunity o
            WHERE o.connection = a.connection AND o.account = a.id) AS opportunities,
          {_time("a.created_at", "created_at")}, {_time("a.modified_at", "modified_at")}, a.custom, a.url
        FROM account a
        LEFT JOIN owner u ON u.connection = a.connection AND u.id = a.owner
    """,
    "contacts": f"""
        SELECT c.connection, c.id, c.name, c.email, a.name AS account, u.name AS owner,
          {_time("c.modified_at", "modified_at")}, c.custom, c.url
        FROM contact c
        LEFT JOIN account a ON a.connection = c.connection AND a.id = c.account
        LEFT JOIN owner u ON u.connection = c.connection AND u.id = c.owner
    """,
    "contact_roles": """
        SELECT r.connection, o.name AS opportunity, c.name AS contact, r.role, r.is_primary, o.url
        FROM contact_role r
        LEFT JOIN opportunity o ON o.connection = r.connection AND o.id = r.opportunity
        LEFT JOIN contact c ON c.connection = r.connection AND c.id = r.contact
    """,
    "leads": f"""
        SELECT l.connection, l.id, l.name, l.company, l.status, l.source, l.is_open, u.name AS owner,
          {_time("l.created_at", "created_at")}, {_time("l.modified_at", "modified_at")}, l.custom, l.url
        FROM lead l
        LEFT JOIN owner u ON u.connection = l.connection AND u.id = l.owner
    """,
    "activities": f"""
        SELECT v.connection, v.id, v.type, v.direction, v.subject, u.name AS owner,
          {_time("v.happened_at", "happened_at")}, {_time("v.planned_at", "planned_at")},
          l.kind, l.via, coalesce(o.name, a.name, c.name, d.name) AS record,
          coalesce(o.url, a.url, c.url, d.url) AS url
        FROM activity v
        LEFT JOIN activity_link l ON l.connection = v.connection AND l.activity = v.id
        LEFT JOIN opportunity o ON l.kind = 'opportunity' AND o.connection = l.connection AND o.id = l.record
        LEFT JOIN account a ON l.kind = 'account' AND a.connection = l.connection AND a.id = l.record
        LEFT JOIN contact c ON l.kind = 'contact' AND c.connection = l.connection AND c.id = l.record
        LEFT JOIN lead d ON l.kind = 'lead' AND d.connection = l.connection AND d.id = l.record
        LEFT JOIN owner u ON u.connection = v.connection AND u.id = v.owner
    """,
    "stage_history": f"""
        SELECT h.connection, o.name AS opportunity, {_time("h.at", "at")},
          coalesce(f.label, h.from_stage) AS from_stage, coalesce(t.label, h.to_stage) AS to_stage,
          coalesce(u.name, h."by") AS "by", o.url
        FROM stage_change h
        LEFT JOIN opportunity o ON o.connection = h.connection AND o.id = h.opportunity
        LEFT JOIN stage f ON f.connection = h.connection AND f.id = h.from_stage
          AND f.pipeline IN (o.pipeline, '')
        LEFT JOIN stage t ON t.connection = h.connection AND t.id = h.to_stage
          AND t.pipeline IN (o.pipeline, '')
        LEFT JOIN owner u ON u.connection = h.connection AND u.id = h."by"
    """,
    "field_history": f"""
        SELECT h.connection, h.kind, coalesce(o.name, a.name, c.name, d.name, h.record) AS record,
          h.field, h.old, h.new, {_time("h.at", "at")}, coalesce(u.name, h."by") AS "by",
          h.origin, h.source, coalesce(o.url, a.url, c.url, d.url) AS url
        FROM field_change h
        LEFT JOIN opportunity o ON h.kind = 'opportunity' AND o.connection = h.connection AND o.id = h.record
        LEFT JOIN account a ON h.kind = 'account' AND a.connection = h.connection AND a.id = h.record
        LEFT JOIN contact c ON h.kind = 'contact' AND c.connection = h.connection AND c.id = h.record
        LEFT JOIN lead d ON h.kind = 'lead' AND d.connection = h.connection AND d.id = h.record
        LEFT JOIN owner u ON u.connection = h.connection AND u.id = h."by"
    """,
    "findings": f"""
        SELECT e.connection, e.kind, e.record AS id, coalesce(o.name, d.name) AS name,
          u.name AS owner, e.rule, e.event, e.severity, e.day, {_time("e.at", "at")}, e.evidence,
          coalesce(o.url, d.url) AS url
        FROM finding_event e
        LEFT JOIN opportunity o ON e.kind = 'opportunity' AND o.connection = e.connection AND o.id = e.record
        LEFT JOIN lead d ON e.kind = 'lead' AND d.connection = e.connection AND d.id = e.record
        LEFT JOIN owner u ON u.connection = e.connection AND u.id = coalesce(o.owner, d.owner)
        WHERE e.id = (
          SELECT max(x.id) FROM finding_event x
          WHERE x.connection = e.connection AND x.kind = e.kind AND x.record = e.record AND x.rule = e.rule
        )
    """,
}
"""Name → query. `findings` shows the last word on each record and rule."""
