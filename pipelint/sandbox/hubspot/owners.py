"""Owners: who may own a record, those who have left too (fact sheet §8)."""

from __future__ import annotations

from dataclasses import dataclass

from pipelint.sandbox.hubspot.moments import iso


@dataclass(frozen=True, slots=True)
class Owner:
    """A user as the owner of records: `id` is what `hubspot_owner_id` holds, `user_id` is another number."""

    id: int
    user_id: int
    first: str
    last: str
    email: str
    team: tuple[str, str] | None = None
    archived: bool = False
    created_at: int = 0

    def as_json(self) -> dict[str, object]:
        document: dict[str, object] = {
            "id": str(self.id),
            "email": self.email,
            "type": "PERSON",
            "firstName": self.first,
            "lastName": self.last,
            "userIdIncludingInactive": self.user_id,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.created_at),
            "archived": self.archived,
        }
        if not self.archived:  # only who is still there has a user
            document["userId"] = self.user_id
        if self.team is not None:
            document["teams"] = [{"id": self.team[0], "name": self.team[1], "primary": True}]
        return document
