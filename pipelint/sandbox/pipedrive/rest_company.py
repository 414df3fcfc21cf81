"""Users, currencies and activity types: v1, not paged."""

from __future__ import annotations

from werkzeug.wrappers import Response

from pipelint.sandbox.pipedrive.call import Call, succeed
from pipelint.sandbox.pipedrive.schema import USERS
from pipelint.sandbox.pipedrive.store import Row
from pipelint.sandbox.pipedrive.values import v1_time


def users(call: Call) -> Response:
    """All users, also those who have left."""
    return succeed([_user(call, it) for it in call.company.store.select(USERS, "1 ORDER BY id")])


def user(call: Call) -> Response:
    """One user."""
    return succeed(_user(call, call.company.get(USERS, call.args["id"])))


def me(call: Call) -> Response:
    """The user behind the token, with the company."""
    company = {
        "company_id": 1,
        "company_name": "Sandbox SA",
        "company_domain": "sandbox",
        "company_country": "FR",
        "company_industry": "Software",
        "language": {"language_code": "en", "country_code": "US"},
    }
    return succeed(_user(call, call.company.get(USERS, call.caller.user_id)) | company)


def currencies(call: Call) -> Response:
    """The currencies in use, with their decimal places."""
    names = {"EUR": ("Euro", "€"), "GBP": ("British Pound Sterling", "£"), "USD": ("US Dollar", "$"),
             "JPY": ("Japanese Yen", "¥")}  # fmt: skip
    term = call.request.args.get("term", "").casefold()
    return succeed(
        [
            {
                "id": number,
                "code": code,
                "name": name,
                "decimal_points": 0 if code == "JPY" else 2,
                "symbol": symbol,
                "active_flag": True,
                "is_custom_flag": False,
            }
            for number, (code, (name, symbol)) in enumerate(names.items(), start=1)
            if term in name.casefold() or term in code.casefold()
        ]
    )


def activity_types(call: Call) -> Response:
    """The types; activities name them by `key_string`."""
    return succeed(call.company.store.kept("activity types"))


def _user(call: Call, row: Row) -> Row:
    is_admin = row.pop("is_admin")
    access = [
        {"app": app, "admin": is_admin, "permission_set_id": f"00000000-0000-4000-8000-00000000000{number}"}
        for number, app in enumerate(("sales", "global", "account_settings"), start=1)
    ]
    times = {name: v1_time(row[name]) for name in ("created", "modified", "last_login")}
    return row | times | {"access": access, "is_you": row["id"] == call.caller.user_id}
