"""The halls of the demonstration that a partner owns: laid at the partner's stand-in where it has
none yet, and connected to their events.
"""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from kernel.db import Db
from kernel.errors import Refusal
from kernel.sql import load_queries
from sales.partner_halls import PartnerHalls

Q = load_queries(Path(__file__).parent / "sql")
ACTOR = "seed"
PLACES = "/api/partners/v1/places"
BULK = "/api/admin/v1/places/bulk"
# A hundred thousand places at a busy stand-in.
TIMEOUT_S = 60.0
Say = Callable[[str], None]


class HallsPrepared:
    """`address` with {event}; `is_ours`: a stand-in that takes places in bulk."""

    def __init__(
        self, db: Db, halls: PartnerHalls, address: str, say: Say, *, is_ours: bool
    ) -> None:
        self._db, self._halls, self._address, self._say = db, halls, address, say
        self._is_ours = is_ours

    async def prepare(self, event_ids: list[int]) -> bool:
        """Whether every hall of these events is connected now; what is not is told."""
        events = await self._db.fetch(Q["list_partner_events"], event_ids)
        done = [await self._prepare(event) for event in events]
        return all(done)

    async def _prepare(self, event: Any) -> bool:
        event_id = event["id"]
        base = self._address.replace("{event}", str(event_id)).rstrip("/")
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http:
                if await self._is_connected(http, base, event):
                    return True
                if self._is_ours and not await self._has_places(http, base):
                    await self._lay(http, base, event_id)
            count = await self._halls.connect(event_id, None, ACTOR)
        except (httpx.HTTPError, Refusal) as error:
            why = str(error) or type(error).__name__
            self._say(f"event {event_id} is not connected to its partner: {why}")
            self._say(f"once it answers: script/biletter event partner {event_id} --yes")
            return False
        self._say(f"event {event_id}: {count} places of its partner")
        return True

    async def _is_connected(self, http: httpx.AsyncClient, base: str, event: Any) -> bool:
        """Its seats have places, and the partner still knows one of them."""
        if event["places"] != event["seats"]:
            return False
        answer = await http.get(f"{base}{PLACES}/{event['place']}")
        return answer.status_code == HTTPStatus.OK

    async def _has_places(self, http: httpx.AsyncClient, base: str) -> bool:
        answer = await http.get(f"{base}{PLACES}", params={"pageSize": 1})
        return bool(answer.raise_for_status().json())

    async def _lay(self, http: httpx.AsyncClient, base: str, event_id: int) -> None:
        rows = await self._db.fetch(Q["read_rows"], event_id)
        told = [{"row": row["row_no"], "seats": row["size"]} for row in rows]
        answer = await http.post(f"{base}{BULK}", json={"rows": told})
        answer.raise_for_status()
