"""An event's seats as Redis and PostgreSQL have them, and where they disagree."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from kernel.db import Db
from kernel.sql import load_queries
from sales.keys import HOLDERS, HOLDS, SEATS, key
from sales.outbox import SEATS as SEATS_LANE
from sales.seatstore import SeatStore

Q = load_queries(Path(__file__).parent / "sql")
FREE, HELD, SOLD = b"FHS"
# A star concert sold out is 100 000 claims.
CLAIMS_TIMEOUT_S: Final = 30
# Holders are asked for so many at a time: Redis stands still meanwhile.
HOLDERS_MAX: Final = 1_000
# Orders that may hold seats which nobody has claimed.
HOLDING_STATES: Final = frozenset({"open", "pending"})


class Claim(msgspec.Struct, frozen=True):
    order_id: int
    account_id: int
    sold: bool

    @property
    def mark(self) -> int:
        return SOLD if self.sold else HELD


class Suspect(msgspec.Struct, frozen=True):
    """A seat about which the two disagree. `holder`: the order that Redis gives it to."""

    seat: int
    shown: int
    holder: int | None
    claim: Claim | None

    @property
    def orders(self) -> set[int]:
        """Whom it concerns."""
        claimed = {self.claim.order_id} if self.claim else set()
        return claimed | ({self.holder} if self.holder is not None else set())


class Held(msgspec.Struct, frozen=True):
    """A hold of Redis: what an order holds, and until when (epoch ms)."""

    order_id: int
    expires_ms: int
    seats: list[int]


class SeatsRead:
    def __init__(self, db: Db, store: SeatStore) -> None:
        self._db, self._store = db, store

    async def suspects(self, event_id: int, capacity: int) -> list[Suspect] | None:
        """Every seat that looks wrong. None: the content is not of the event's size at all."""
        content, holds = await self._redis_side(event_id)
        if len(content) != capacity:
            return None
        row = await self._db.fetchrow(Q["list_claims"], event_id, timeout=CLAIMS_TIMEOUT_S)
        assert row is not None
        claimed = dict(zip(row["seats"], row["orders"], strict=True))
        ended = await self._ended(hold.order_id for hold in holds)
        expected = bytearray(b"F") * capacity
        strange = {
            seat
            for hold in holds
            for seat in hold.seats
            if hold.order_id in ended and claimed.get(seat) != hold.order_id
        }
        for hold in holds:
            for seat in hold.seats:
                expected[seat] = HELD
        for seat, sold in zip(row["seats"], row["sold"], strict=True):
            expected[seat] = SOLD if sold else HELD
        if expected != content:
            strange |= {seat for seat in range(capacity) if expected[seat] != content[seat]}
        strange |= await self._misplaced(event_id, claimed)
        return await self.look(event_id, sorted(strange))

    async def look(self, event_id: int, seats: Sequence[int]) -> list[Suspect]:
        """These seats as they are now; those that agree are left out."""
        if not seats:
            return []
        content, holds = await self._redis_side(event_id)
        holders = await self._holders(event_id, seats)
        rows = await self._db.fetch(Q["list_claims_of_seats"], event_id, list(seats))
        claims = {r["seat"]: Claim(r["order_id"], r["account_id"], r["sold"]) for r in rows}
        ended = await self._ended(hold.order_id for hold in holds)
        held = {seat: hold.order_id for hold in holds for seat in hold.seats}
        seen = [Suspect(s, content[s], holders.get(s), claims.get(s)) for s in seats]
        return [one for one in seen if not _agrees(one, held.get(one.seat), ended)]

    async def in_flight(self, suspects: Iterable[Suspect]) -> set[int]:
        """Orders among those concerned that a worker is still going to tell Redis about."""
        named = {order for one in suspects for order in one.orders}
        rows = await self._db.fetch(Q["list_orders_in_flight"], list(named), SEATS_LANE)
        return {row["subject_id"] for row in rows}

    async def overdue(self, event_id: int, before_ms: int) -> list[int]:
        """Orders whose holds should have ended before this moment."""
        _, holds = await self._redis_side(event_id)
        return sorted(hold.order_id for hold in holds if hold.expires_ms < before_ms)

    async def _redis_side(self, event_id: int) -> tuple[bytes, list[Held]]:
        pipe = self._store.redis.pipeline(transaction=False)
        pipe.get(key(SEATS, event_id))
        pipe.hgetall(key(HOLDS, event_id))
        content, packs = await pipe.execute()
        # What its owner has given to others is free as far as we two are concerned.
        return (content or b"").replace(b"X", b"F"), [
            _held(order, pack) for order, pack in packs.items()
        ]

    async def _holders(self, event_id: int, seats: Sequence[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for start in range(0, len(seats), HOLDERS_MAX):
            part = seats[start : start + HOLDERS_MAX]
            asked: Any = self._store.redis.hmget(key(HOLDERS, event_id), list(map(str, part)))
            for seat, told in zip(part, await asked, strict=True):
                if told:
                    found[seat] = int(told.partition(b":")[0])
        return found

    async def _misplaced(self, event_id: int, claimed: dict[int, int]) -> set[int]:
        """Claimed seats that Redis gives to another order than PostgreSQL does."""
        holders = await self._holders(event_id, list(claimed))
        return {seat for seat, order in claimed.items() if holders.get(seat) != order}

    async def _ended(self, orders: Iterable[int]) -> set[int]:
        """Those of the orders that may hold nothing but what they have claimed."""
        asked = list(set(orders))
        rows = await self._db.fetch(Q["read_order_states"], asked)
        return set(asked) - {row["id"] for row in rows if row["state"] in HOLDING_STATES}


def _agrees(seen: Suspect, held_by: int | None, ended: set[int]) -> bool:
    if seen.claim is not None:
        return seen.shown == seen.claim.mark and seen.holder == seen.claim.order_id
    if seen.shown == FREE:
        return seen.holder is None
    return seen.shown == HELD and held_by == seen.holder and held_by not in {None, *ended}


def _held(order: bytes, pack: bytes) -> Held:
    _, expires, _, _, names = pack.split(b":")
    return Held(int(order), int(expires), [int(name) for name in names.split(b",") if name])
