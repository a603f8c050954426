"""Allotments through their life: changed by staff, closed at the deadline, reported to the owner.

Each step is one transaction of PostgreSQL, which may be said again; Redis follows. Whoever dies in
between leaves a state that the next tick goes on from.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from kernel.db import Db
from kernel.errors import BadInput, Conflict, NotFound
from kernel.sql import load_queries
from sales import audit
from sales.allotment import AllotmentChannel, AllotmentState
from sales.allotments_admitting import SECOND_TRY_S
from sales.seatstore import SeatStore

Q = load_queries(Path(__file__).parent / "sql")
# Closed and reported in one tick; the rest waits a second.
TICK_MAX: Final = 100
# Events whose allotments Redis is told about.
EVENTS_MAX: Final = 5_000
# Longer than a statement that claims may take: see report_allotments.
SEEN_AFTER_S: Final = 30


class AllotmentUnknown(NotFound):
    """Такой квоты у этого мероприятия нет."""

    code: ClassVar[str] = "allotment-unknown"


class AllotmentClosed(Conflict):
    """Срок этой квоты вышел, изменить её нельзя."""

    code: ClassVar[str] = "allotment-closed"


class AllotmentChanged(Conflict):
    """Квоту уже изменил кто-то другой. Посмотрите, что в ней теперь."""

    code: ClassVar[str] = "allotment-changed"


class AllotmentBelowSold(Conflict):
    """Столько мест уже продано или оплачивается: меньше нельзя."""

    code: ClassVar[str] = "allotment-below-sold"


class AllotmentBeyondZone(Conflict):
    """В зоне нет столько мест."""

    code: ClassVar[str] = "allotment-beyond-zone"


class AllotmentListed(Conflict):
    """Места этой квоты названы поимённо: их число не меняют."""

    code: ClassVar[str] = "allotment-listed"


class AllotmentNotGiven(Conflict):
    """Квота уже есть, такой зоны нет, в ней меньше мест или местами владеет партнёр."""

    code: ClassVar[str] = "allotment-not-given"


class SoldOutside(Conflict):
    """На это мероприятие уже проданы места вне квоты."""

    code: ClassVar[str] = "sold-outside"


class BadDeadline(BadInput):
    """Срок должен быть в будущем и не позже начала мероприятия."""

    code: ClassVar[str] = "bad-deadline"


class Report(msgspec.Struct, frozen=True):
    """What became of an allotment: returned = given - sold. `revenue` in tiyn."""

    given: int
    sold: int
    returned: int
    revenue: int
    reported_at: datetime


class Standing(msgspec.Struct, frozen=True):
    """An allotment and what is sold of it now; `paying`: claimed, not paid yet. `report` None: not
    over. `returned_since`: places given back after the report, which are their owner's.
    """

    event_id: int
    zone_no: int
    name: str
    seat_count: int
    channel: AllotmentChannel
    places: int
    is_listed: bool
    deadline: datetime
    state: AllotmentState
    version: int
    sold: int
    paying: int
    revenue: int
    returned_since: int
    report: Report | None

    @property
    def left(self) -> int:
        """What may still be sold. Holds that nobody pays yet are not taken off."""
        return max(0, self.places - self.sold - self.paying) if self.state == "open" else 0


class SoldRow(msgspec.Struct, frozen=True):
    """Seat numbers sold in a row; `revenue` in tiyn."""

    zone_no: int
    row: int
    seats: Sequence[int]
    revenue: int


class OwnersView(msgspec.Struct, frozen=True):
    """What the owner of a hall is told: by zone, what is sold by now, and what was sold when the
    allotments that are over were reported.
    """

    event_id: int
    standings: Sequence[Standing]
    rows: Sequence[SoldRow]
    reported: Sequence[SoldRow]


class Allotments:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def of_event(self, event_id: int) -> list[Standing]:
        """By zone; empty where all seats are ours."""
        return [_standing(row) for row in await self._db.fetch(Q["list_allotments"], event_id)]

    async def view(self, event_id: int) -> OwnersView:
        """All of it."""
        return OwnersView(
            event_id,
            await self.of_event(event_id),
            await self.sold_rows(event_id),
            await self.reported_rows(event_id),
        )

    async def sold_rows(self, event_id: int) -> list[SoldRow]:
        """What is sold by now, by zone and row."""
        rows = await self._db.fetch(Q["list_sold_rows"], event_id)
        return [SoldRow(r["zone_no"], r["row_no"], r["seats"], r["revenue"]) for r in rows]

    async def reported_rows(self, event_id: int) -> list[SoldRow]:
        """What was sold when the report was written, of the allotments that are over."""
        return [
            SoldRow(report["zone_no"], one["row"], one["seats"], one["revenue"])
            for report in await self._db.fetch(Q["list_reported_rows"], event_id)
            for one in report["sold_rows"]
        ]

    async def give(
        self,
        event_id: int,
        zone_no: int,
        *,
        channel: AllotmentChannel,
        places: int,
        seats: Sequence[int] | None,
        deadline: datetime,
        actor: str,
    ) -> None:
        """The owner has given us this of a zone, and of zones of which he gives nothing none.
        Raises AllotmentNotGiven, SoldOutside.
        """
        async with self._db.acquire() as conn, conn.transaction():
            given = (event_id, zone_no, channel, places, seats, deadline)
            if await conn.fetchval(Q["give_allotment"], *given) is None:
                raise AllotmentNotGiven
            if await conn.fetch(Q["list_outside"], 1, event_id):
                raise SoldOutside
            told: dict[str, Any] = {"zone": zone_no, "channel": channel, "places": places}
            told["deadline"] = deadline.isoformat()
            now = await conn.fetchval(Q["read_time"])
            await audit.write(conn, now, actor, "allotment.give", f"event:{event_id}", **told)

    async def change(
        self,
        event_id: int,
        zone_no: int,
        version: int,
        *,
        places: int,
        deadline: datetime,
        actor: str,
        by: str | None = None,
    ) -> None:
        """What the owner has agreed to anew. `version`: of what whoever asks was looking at. Redis
        hears of it within a second or two. Raises AllotmentUnknown, AllotmentClosed,
        AllotmentChanged, AllotmentBelowSold, AllotmentBeyondZone, AllotmentListed, BadDeadline.
        """
        deadline = deadline.astimezone(UTC)
        async with self._db.acquire() as conn, conn.transaction():
            row = await conn.fetchrow(Q["lock_allotment"], event_id, zone_no)
            if row is None:
                raise AllotmentUnknown
            first, last = row["first_seat"], row["first_seat"] + row["seat_count"] - 1
            # A statement of its own: it sees what was claimed while the first one waited.
            taken = await conn.fetchval(Q["count_claims"], event_id, first, last)
            _check(row, version, places, deadline, taken)
            before = {"places": row["places"], "deadline": row["deadline"].isoformat()}
            after = {"places": places, "deadline": deadline.isoformat()}
            if deadline == row["deadline"] and places == row["places"]:
                return
            await conn.execute(Q["change_allotment"], event_id, zone_no, places, deadline)
            told: dict[str, Any] = {"zone": zone_no, "before": before, "after": after}
            if by is not None:
                told["by"] = by
            subject = f"event:{event_id}"
            await audit.write(conn, row["now"], actor, "allotment.change", subject, **told)


class AllotmentTick:
    """What happens to allotments by the clock, and that Redis hears of it."""

    def __init__(self, db: Db, store: SeatStore) -> None:
        self._db, self._store = db, store
        self._told: dict[int, int] = {}

    async def tick(self) -> int:
        """How many allotments were closed or reported. For the ticker, once a second."""
        closed = await self._db.fetch(Q["close_allotments"], TICK_MAX)
        reported = await self._db.fetch(
            Q["report_allotments"], TICK_MAX, SECOND_TRY_S, SEEN_AFTER_S
        )
        rows = await self._db.fetch(Q["list_ranks"], EVENTS_MAX)
        for row in rows:
            if self._told.get(row["event_id"]) != row["rank"]:
                await self._store.allot(row["event_id"])
                self._told[row["event_id"]] = row["rank"]
        return len(closed) + len(reported)


def _check(row: Any, version: int, places: int, deadline: datetime, taken: int) -> None:
    if not row["is_open"]:
        raise AllotmentClosed
    if version != row["version"]:
        raise AllotmentChanged
    if places != row["places"]:
        if row["is_listed"]:
            raise AllotmentListed
        if places < taken or places < 1:
            raise AllotmentBelowSold(taken=taken)
        if places > row["seat_count"]:
            raise AllotmentBeyondZone(seats=row["seat_count"])
    if not row["now"] < deadline <= row["starts_at"]:
        raise BadDeadline


def _standing(row: Any) -> Standing:
    report = None
    if row["reported_at"] is not None:
        report = Report(
            row["reported_given"],
            row["reported_sold"],
            row["reported_returned"],
            row["reported_revenue"],
            row["reported_at"],
        )
    names = set(Standing.__struct_fields__) - {"is_listed", "report"}
    fields = {name: row[name] for name in names}
    return Standing(**fields, is_listed=row["seats"] is not None, report=report)
