"""Holds: seats taken off everybody else's map while one buyer chooses and pays.

Redis holds, PostgreSQL decides. Each verb is one Lua command, all or nothing. Buyers' verbs
(hold, release) refuse; the verbs that carry a decision of PostgreSQL (claim, sell, free) never
do, and may be repeated.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

from redis.asyncio import Redis

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import BadInput
from kernel.lua import Arg, Reply, word
from kernel.sql import load_queries
from sales.allotment import LETTERS, SELLS
from sales.catalogue import Catalogue, Event
from sales.geometry import Hall, ZoneUnknown
from sales.halls import Halls
from sales.hold import Best, Fit, Hold, Holder, unpack
from sales.holds_lapse import Lapses
from sales.holds_refusals import SaleClosed, SeatTaken, TooManySeats, named, refusal_of
from sales.order import Channel
from sales.seatstore import SeatStore

__all__ = ["Best", "Fit", "Hold", "Holder", "Holds", "NoSeats"]

Q = load_queries(Path(__file__).parent / "sql")
# A payment that could not even be started leaves this long for a second try.
SECOND_TRY_MS = 120_000
# What an account may have open at once and still see; the contract's busiest has about a thousand.
ORDERS_MAX = 2_000
# Orders looked up in one command.
LOOK_MAX = 500
# No order has more places, whatever its event says (see the schema).
ORDER_SEATS_MAX = 100


class NoSeats(BadInput):
    """Не выбрано ни одного места."""

    code = "no-seats"


class Holds:
    def __init__(self, redis: Redis, db: Db, catalogue: Catalogue, clock: Clock) -> None:
        self.store = SeatStore(redis, db, Halls(catalogue), clock)
        self._db = db
        self._catalogue = catalogue
        self._clock = clock
        self._lapses = Lapses(self.store, db)

    async def hold(
        self,
        event_id: int,
        order_id: int,
        account_id: int,
        seats: Sequence[int],
        *,
        order_limit: int | None = None,
        fresh: bool = False,
        channel: Channel = "web",
    ) -> Hold:
        """Add seats to what the order holds: all of them or none. The hold then ends
        `hold_seconds` from now, at most twice that after its first seat. `order_limit` replaces
        the event's own. `fresh`: seats that are all the order's already are refused as taken.
        `channel`: the order's.

        Raises SeatTaken and OutsideAllotment (with the seats), AllotmentSpent (with what is left),
        TooManySeats and PersonLimit (with the limit),
        SeatUnknown, HoldFrozen, NotYourSeat, SaleClosed, NoSeats, EventUnknown.
        """
        event, hall = await self._event_and_hall(event_id)
        limit = min(order_limit or event.order_limit, ORDER_SEATS_MAX)
        self._check(event, len(seats), limit)
        wanted = hall.known(seats)
        sells = LETTERS[SELLS[channel]]
        reply = await self._take("hold", event, order_id, account_id, limit, sells, *wanted)
        if word(reply) == "again" and fresh:
            raise SeatTaken(seats=[named(hall, seat) for seat in wanted])
        if word(reply) not in ("held", "again"):
            raise refusal_of(reply, hall)
        return unpack(event_id, order_id, reply[1])

    async def hold_best(
        self,
        event_id: int,
        order_id: int,
        account_id: int,
        zone_no: int,
        count: int,
        *,
        order_limit: int | None = None,
        has: int | None = None,
        channel: Channel = "web",
    ) -> Best:
        """Add the best `count` free seats of a zone, chosen and held in one step. `has`: how many
        seats the caller knows the order to hold; if it holds more by now the request is a
        repeated one, and changes nothing.

        Raises FewSeats (with what is free), TooManySeats, PersonLimit, HoldFrozen, NotYourSeat,
        SaleClosed, NoSeats, ZoneUnknown, EventUnknown.
        """
        event, hall = await self._event_and_hall(event_id)
        zone = hall.zone(zone_no)
        if zone is None:
            raise ZoneUnknown
        limit = min(order_limit or event.order_limit, ORDER_SEATS_MAX)
        self._check(event, count, limit)
        known = -1 if has is None else has
        sells = LETTERS[SELLS[channel]]
        given: list[Arg] = [sells, count, known, zone.first_seat, *zone.row_runs]
        reply = await self._take("best", event, order_id, account_id, limit, *given)
        if word(reply) not in ("held", "again"):
            raise refusal_of(reply, hall)
        hold = unpack(event_id, order_id, reply[1])
        if word(reply) == "again":
            return Best(hold, [], None)
        return Best(hold, hold.seats[-count:], cast("Fit", reply[2].decode()))

    async def release(
        self, event_id: int, order_id: int, account_id: int, seats: Sequence[int] | None = None
    ) -> list[int]:
        """Give back some seats of the order, or all (None); which ones were given back. Nothing
        left to give back is an answer for all of them, a refusal for seats that were named.

        Raises NotYourSeat, SeatNotHeld, HoldFrozen, SeatUnknown, EventUnknown.
        """
        hall = await self.store.halls.hall(event_id)
        if seats is not None and not seats:
            return []
        named = hall.known((seats or [])[:ORDER_SEATS_MAX])
        reply = await self.store.run("release", event_id, order_id, account_id, *named)
        match word(reply):
            case "released":
                return [int(seat) for seat in reply[1:]]
            case "unheld" if seats is None:
                return []
            case _:
                raise refusal_of(reply, hall)

    async def freeze(self, event_id: int, order_id: int, account_id: int, until_ms: int) -> Hold:
        """Lock the hold while it is being paid; PostgreSQL is asked about the order at `until_ms`.
        Raises HoldOver, NotYourSeat, EventUnknown.
        """
        await self.store.look_after(event_id, until_ms)
        reply = await self.store.run(
            "freeze", event_id, self._clock.ms(), order_id, account_id, until_ms
        )
        if word(reply) != "frozen":
            raise refusal_of(reply, await self.store.halls.hall(event_id))
        return unpack(event_id, order_id, reply[1])

    async def thaw(self, event_id: int, order_id: int) -> Hold | None:
        """Give a frozen hold back to its buyer, with time for a second try, but not for ever new
        ones. None: it is gone.
        """
        event = await self._catalogue.event(event_id)
        now = self._clock.ms()
        least_ms = now + SECOND_TRY_MS
        renewed_ms = now + event.hold_seconds * 1000
        await self.store.look_after(event_id, max(least_ms, renewed_ms))
        reply = await self.store.run(
            "thaw", event_id, order_id, renewed_ms, least_ms, SECOND_TRY_MS
        )
        return unpack(event_id, order_id, reply[1]) if word(reply) == "thawed" else None

    async def claim(
        self, event_id: int, order_id: int, account_id: int, seats: Sequence[int], until_ms: int
    ) -> None:
        """PostgreSQL has committed these claims: Redis follows, whoever holds the seats there.
        For right after the commit, lest a Redis lost in between offers them again.
        """
        await self.store.look_after(event_id, until_ms)
        await self.store.claim(event_id, order_id, account_id, seats, mark="H", until_ms=until_ms)

    async def sell(self, event_id: int, order_id: int, seats: Sequence[int]) -> None:
        """The order is paid, and PostgreSQL says so: its seats are sold here too. Where the hold
        has vanished meanwhile PostgreSQL is asked, and what it gives to nobody is left alone.
        """
        if await self.store.claim(event_id, order_id, None, seats, mark="S"):
            return
        rows = await self._db.fetch(Q["list_claims_of_order"], event_id, order_id)
        owned = [row["seat"] for row in rows if row["sold"]]
        if owned:
            await self.store.claim(event_id, order_id, rows[0]["account_id"], owned, mark="S")

    async def free(
        self, event_id: int, order_id: int, seats: Sequence[int] | None = None
    ) -> list[int]:
        """The order lets go of these seats, held or sold, or of all it holds (None). Returns
        those that were its own; what another order has taken since stays.
        """
        if seats is not None and not seats:
            return []
        reply = await self.store.run("free", event_id, order_id, *(seats or []))
        assert word(reply) == "freed", reply
        return [int(seat) for seat in reply[1:]]

    async def of_order(self, event_id: int, order_id: int) -> Hold | None:
        """The living hold of an order; None when it has none, or its time is over."""
        return (await self.of_orders([(event_id, order_id)])).get(order_id)

    async def of_orders(self, orders: Iterable[tuple[int, int]]) -> dict[int, Hold]:
        """Living holds by order id, for pairs of event id and order id."""
        by_event: dict[int, list[int]] = {}
        for event_id, order_id in orders:
            by_event.setdefault(event_id, []).append(order_id)
        holds: dict[int, Hold] = {}
        for event_id, ids in by_event.items():
            for start in range(0, len(ids), LOOK_MAX):
                part = ids[start : start + LOOK_MAX]
                found = await self.store.run("look", event_id, *part)
                holds |= self._living(event_id, part, found)
        return holds

    async def of_account(self, account_id: int, event_id: int | None = None) -> list[Hold]:
        """The living holds of an account, of one event or of all, the newest order first."""
        rows = await self._db.fetch(Q["list_orders_with_holds"], account_id, ORDERS_MAX, event_id)
        holds = await self.of_orders((row["event_id"], row["id"]) for row in rows)
        return [holds[row["id"]] for row in rows if row["id"] in holds]

    async def holder(self, event_id: int, seat: int) -> Holder | None:
        """Who holds or owns a seat; None for a free one. Raises SeatUnknown, EventUnknown."""
        (await self.store.halls.hall(event_id)).known([seat])
        reply = await self.store.run("holder", event_id, seat)
        if word(reply) == "free":
            return None
        order_id, account_id = reply[1].split(b":")
        return Holder(int(order_id), int(account_id), reply[2] == b"S")

    async def lapse(self, now: datetime) -> int:
        """End every hold whose time is over; how many ended. For the ticker, once a second."""
        return await self._lapses.lapse(int(now.timestamp() * 1000))

    def forget_epoch(self) -> None:
        """Whoever has just raised the epoch: the next command refills."""
        self.store.epochs.forget()

    async def _event_and_hall(self, event_id: int) -> tuple[Event, Hall]:
        return await self._catalogue.event(event_id), await self.store.halls.hall(event_id)

    def _check(self, event: Event, count: int, limit: int) -> None:
        if event.state != "on_sale" or event.starts_at <= self._clock.now():
            raise SaleClosed
        if count < 1:
            raise NoSeats
        if count > limit:
            raise TooManySeats(limit=limit)

    async def _take(
        self, command: str, event: Event, order_id: int, account_id: int, limit: int, *what: Arg
    ) -> Reply:
        now, ttl_ms = self._clock.ms(), event.hold_seconds * 1000
        await self.store.look_after(event.id, now + 2 * ttl_ms)
        limits = (limit, event.person_limit or 0)
        return await self.store.run(
            command, event.id, now, order_id, account_id, ttl_ms, *limits, *what
        )

    def _living(self, event_id: int, orders: Sequence[int], reply: Reply) -> dict[int, Hold]:
        now = self._clock.ms()
        found = {
            order_id: unpack(event_id, order_id, pack)
            for order_id, pack in zip(orders, reply[1:], strict=True)
            if pack is not None
        }
        return {key: hold for key, hold in found.items() if hold.frozen or hold.expires_at_ms > now}
