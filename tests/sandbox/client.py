"""A client that shows status and body as they came, and the moment at which the clocks of sandboxes stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday


@dataclass
class Client:
    """Calls with one token; `status` and `headers` are those of the last answer."""

    base_url: str
    token: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **options: Any) -> Any:
        headers = self.authorisation() | options.pop("headers", {})
        answer = requests.request(method, self.base_url + path, headers=headers, timeout=5, **options)
        self.status, self.headers = answer.status_code, dict(answer.headers)
        if "json" in answer.headers.get("Content-Type", "") and answer.content:
            return answer.json()
        return answer.text

    def authorisation(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **parameters: Any) -> Any:
        return self.call("GET", path, params=parameters)

    def post(self, path: str, body: object) -> Any:
        return self.call("POST", path, json=body)

    def patch(self, path: str, body: object) -> Any:
        return self.call("PATCH", path, json=body)

    def statuses(self, path: str, count: int) -> list[int | str]:
        """What so many calls came to; "dropped" where no whole answer came."""
        seen: list[int | str] = []
        for _ in range(count):
            try:
                self.get(path)
                seen.append(self.status)
            except requests.exceptions.RequestException:
                seen.append("dropped")
        return seen
