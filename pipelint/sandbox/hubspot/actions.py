"""What `/_sandbox` can do with an account: change it as colleagues do, and move its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from pipelint.sandbox.control import Action
from pipelint.sandbox.hubspot.auth import SCOPES, Auth
from pipelint.sandbox.hubspot.errors import HubSpotError
from pipelint.sandbox.hubspot.history import Source
from pipelint.sandbox.hubspot.limits import Limits
from pipelint.sandbox.hubspot.portal import COLLEAGUE, Portal


def actions(portal: Portal, auth: Auth, limits: Limits) -> dict[str, Action]:
    """The controls by name; each takes the attributes of a JSON object."""

    def change(document: dict[str, object]) -> object:
        source = document.get("source")
        who = COLLEAGUE if source is None else Source(str(source), str(document.get("source_id", "")))
        kind, properties = str(document["type"]), document["properties"]
        if not isinstance(properties, dict):
            raise TypeError("properties is an object")
        if "id" in document:
            portal.update(kind, str(document["id"]), properties, who)
            return {"id": str(document["id"])}
        return {"id": portal.create(kind, properties, who)}

    def remove(document: dict[str, object]) -> object:
        work = {"archive": portal.archive, "restore": portal.restore, "purge": portal.purge}
        work[str(document["how"])](str(document["type"]), str(document["id"]))
        return {str(document["how"]): str(document["id"])}

    def merge(document: dict[str, object]) -> object:
        names = (str(document[it]) for it in ("type", "primary", "other"))
        return {"id": portal.merge(*names)}

    def ties(document: dict[str, object]) -> object:
        """Create so many records, all with one modification stamp."""
        made = portal.create_many(str(document.get("type", "deals")), int(str(document["count"])))
        return {"created": len(made), "first": made[0], "last": made[-1]}

    def limit(document: dict[str, object]) -> object:
        limits.allowance = replace(limits.allowance, **{name: int(str(it)) for name, it in document.items()})
        return {"per_ten_seconds": limits.allowance.per_ten_seconds,
                "searches_per_second": limits.allowance.searches_per_second,
                "per_day": limits.allowance.per_day}  # fmt: skip

    def lag(document: dict[str, object]) -> object:
        portal.index_lag = timedelta(seconds=float(str(document["seconds"])))
        return {"seconds": portal.index_lag.total_seconds()}

    def token(document: dict[str, object]) -> object:
        scopes = document.get("scopes", sorted(SCOPES))
        if not isinstance(scopes, list):
            raise TypeError("scopes is a list")
        return {"access_token": auth.key([str(it) for it in scopes])}

    controls: dict[str, Callable[[dict[str, object]], object]] = {
        "change": change,
        "remove": remove,
        "merge": merge,
        "ties": ties,
        "limits": limit,
        "index-lag": lag,
        "token": token,
        "expire-tokens": lambda _: {"expired": auth.expire()},
    }
    return {name: _of_object(work) for name, work in controls.items()}


def _of_object(work: Callable[[dict[str, object]], object]) -> Action:
    def action(document: object) -> object:
        if not isinstance(document, dict):
            raise TypeError("a control takes a JSON object")
        try:
            return work(document)
        except HubSpotError as error:
            raise ValueError(error.message) from None

    return action
