"""The controls of this sandbox at `/_sandbox`: plan, tokens, tokens of others, colleagues' changes."""

from __future__ import annotations

from pipelint.sandbox.control import Action
from pipelint.sandbox.pipedrive.auth import SCOPES, Auth
from pipelint.sandbox.pipedrive.company import Company
from pipelint.sandbox.pipedrive.limits import Limits


class Steering:
    """Each control takes a JSON object and answers one."""

    def __init__(self, company: Company, auth: Auth, limits: Limits) -> None:
        self._company = company
        self._auth = auth
        self._limits = limits

    def actions(self) -> dict[str, Action]:
        return {
            "plan": self._plan,
            "tokens": lambda _: self._limits.report(),
            "consume": self._consume,
            "unblock": self._unblock,
            "token-headers": self._headers,
            "token": self._token,
            "expire-sessions": lambda _: {"expired": self._auth.expire()},
            "create": self._create,
            "update": self._update,
            "delete": self._delete,
            "merge": self._merge,
        }

    def _plan(self, document: object) -> object:
        match document:
            case {"plan": str(plan), **rest}:
                seats = rest.get("seats", self._limits.seats)
                if isinstance(seats, int):
                    self._limits.set_plan(plan, seats)
                    return self._limits.report()
        raise ValueError("the control plan takes plan, such as lite, and seats")

    def _consume(self, document: object) -> object:
        match document:
            case {"tokens": int(tokens)}:
                self._limits.consume(tokens)
                return self._limits.report()
        raise ValueError("the control consume takes tokens, which other integrations use today")

    def _unblock(self, _: object) -> object:
        self._limits.unblock()
        return {"blocked": False}

    def _headers(self, document: object) -> object:
        match document:
            case {"shown": bool(shown)}:
                self._limits.show_tokens = shown
                return {"shown": shown}
        raise ValueError("the control token-headers takes shown, true or false")

    def _token(self, document: object) -> object:
        """An API token; with `scopes` a refresh token of an app."""
        match document:
            case {"user_id": int(user)}:
                return {"api_token": self._auth.api_token(user)}
            case {"scopes": list(scopes)}:
                return {"refresh_token": self._auth.grant(self._company.admin, tuple(map(str, scopes)))}
            case {}:
                refresh = self._auth.grant(self._company.admin, SCOPES)
                return {"api_token": self._auth.api_token(self._company.admin), "refresh_token": refresh}
        raise ValueError("the control token takes a user_id, or scopes, or nothing")

    def _create(self, document: object) -> object:
        match document:
            case {"table": str(table), "fields": dict(fields)}:
                return self._company.create(table, fields)
        raise ValueError("the control create takes a table, such as deals, and fields")

    def _update(self, document: object) -> object:
        match document:
            case {"table": str(table), "id": record, "fields": dict(fields)}:
                return self._company.update(table, record, fields)
        raise ValueError("the control update takes a table, such as deals, an id, and fields")

    def _delete(self, document: object) -> object:
        match document:
            case {"table": str(table), "id": record}:
                self._company.delete(table, record)
                return {"deleted": record}
        raise ValueError("the control delete takes a table, such as deals, and an id")

    def _merge(self, document: object) -> object:
        match document:
            case {"loser": int(loser), "survivor": int(survivor)}:
                return self._company.merge_deals(loser, survivor)
        raise ValueError("the control merge takes the ids of two deals, loser and survivor")
