"""The schedule: a room opens its pre-queue, draws its lottery, begins and ends by the clock.

The ticker's leader does it, every tick, on the gate's own clock. Each step is done once, whoever
leads and however often a leader dies on the way: what was counted at the opening stays counted,
and all the rest follows from that.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
import structlog

from kernel.clock import Clock
from kernel.errors import NotFound
from kernel.keyring import Keyring
from kernel.lua import Reply, word
from waitingroom import keys
from waitingroom.cohort import Drawn
from waitingroom.lottery import ALGORITHM, Lottery, Published, commitment_of, seed_of
from waitingroom.memory import OWNERS_MAX
from waitingroom.snapshot import Snapshot, iso, iso_or_none
from waitingroom.store import Store

# Those who left the pre-queue are carried over in pages of this many.
CARRY_PAGE = 1_000
# One opening has at most so many pages and late leavers; more wait for the next tick.
CARRY_PAGES_MAX = 500
# Up to so many entrants it is carried over who of them is heard from (a tenth of a second); of
# more all count as heard from till their next heartbeat is due.
LIVE_EXACT_MAX = 200_000
LIVE_TTL_S = 3 * keys.LIVE_WINDOW_MS // 1000
NOTES_KEPT = 200
ACTOR = "schedule"

log = structlog.get_logger()


class NoLottery(NotFound):
    """В этой очереди нет жеребьёвки."""

    code = "no-lottery"


class Schedule:
    def __init__(self, store: Store, keyring: Keyring, clock: Clock, own: Clock | None) -> None:
        """`own` is the clock of openings where it is not Redis's, which only tests want."""
        self._store = store
        self._secret = keyring.secret("lottery")
        self._clock = clock
        self._own = own

    def seed(self, event: int, generation: int) -> bytes:
        """The secret till the draw, and what is published afterwards."""
        return seed_of(self._secret, event, generation)

    def published(self, snapshot: Snapshot) -> Published:
        """What everybody may know of the room's lottery by now. Raises NoLottery."""
        settings, drawn = snapshot.settings, snapshot.drawn
        if not settings.awaits_draw and drawn is None:
            raise NoLottery
        seed = self.seed(snapshot.event, settings.lottery)
        source, open_fields = settings.outside_source, dict[str, Any]()
        if snapshot.counted is not None:
            open_fields = {"count": snapshot.counted}
            open_fields["awaits"] = "outside" if snapshot.awaits_outside else None
        if drawn is not None:
            seed, source = bytes.fromhex(drawn.lottery.seed), drawn.source or source
            open_fields = {
                "seed": drawn.lottery.seed,
                "outside": drawn.lottery.outside,
                "count": drawn.lottery.count,
                "drawn_at": iso(drawn.drawn_at_ms),
                "without_outside": bool(drawn.source) and not drawn.lottery.outside,
            }
        return Published(
            event=snapshot.event,
            generation=settings.lottery,
            algorithm=ALGORITHM,
            commitment=commitment_of(seed),
            outside_source=source,
            opens_at=iso_or_none(settings.opens_at),
            **open_fields,
        )

    async def advance(self, event: int, fence: int) -> str:
        """Do what is due: `nothing`, `drawn`, `closed`; `fenced`: a later leader has been here;
        `draw`: the draw goes on with the next tick; `awaits`: it waits for the value from outside.
        Raises RoomUnknown, RoomAway.
        """
        reply = await self._store.run_in_line(
            "due",
            event,
            lambda gen: [
                keys.settings(event),
                keys.line(event, gen),
                keys.draw(event),
                keys.changes(event),
            ],
            [fence, self._now_ms(), _note({"state": "closed"}), NOTES_KEPT],
        )
        if word(reply) == "closed":
            log.info("room closed by its schedule", event_id=event)
        if word(reply) != "draw":
            return word(reply)
        generation = await self._store.generation(event)
        seed = self.seed(event, generation).hex()
        lottery = Lottery(event, generation, int(reply[1]), seed, reply[2].decode())
        return await self._draw(Drawn(lottery, 0), fence)

    async def _draw(self, drawn: Drawn, fence: int) -> str:
        event, before, after = drawn.lottery.event, drawn.lottery.generation, drawn.generation
        now_ms = self._clock.ms()
        await self._carry_owners(drawn)
        live, live_next = await self._carry(drawn, now_ms)
        reply: Reply = [b"more"]
        for _ in range(CARRY_PAGES_MAX):
            if word(reply) != "more":
                break
            reply = await self._store.run(
                "draw",
                [
                    keys.settings(event),
                    keys.line(event, before),
                    keys.line(event, after),
                    keys.draw(event),
                    keys.left(event, before),
                    keys.left(event, after),
                    *keys.live_pair(event, after, now_ms),
                    keys.changes(event),
                ],
                [
                    before,
                    fence,
                    self._now_ms(),
                    drawn.lottery.seed,
                    live,
                    live_next,
                    LIVE_TTL_S,
                    _note({"mode": "on", "generation": after}),
                    NOTES_KEPT,
                ],
            )
            if word(reply) == "more":
                await self._carry(drawn, now_ms)
        if word(reply) == "drawn":
            self._store.saw(event, after)
            log.info("lottery drawn", event_id=event, count=drawn.lottery.count, generation=after)
            return "drawn"
        return "draw" if word(reply) in ("more", "generation") else word(reply)

    async def _carry(self, drawn: Drawn, now_ms: int) -> tuple[bytes, bytes]:
        """Give up the numbers of those who left, all whom Redis knows of by now. Returns who is
        heard from, by drawn number, for this window and the next.
        """
        event, before, after = drawn.lottery.event, drawn.lottery.generation, drawn.generation
        carried, live, live_next = 0, b"", b""
        for _ in range(CARRY_PAGES_MAX):
            reply = await self._store.run(
                "crowd",
                [
                    keys.settings(event),
                    keys.left(event, before),
                    *keys.live_pair(event, before, now_ms),
                ],
                [before, carried, CARRY_PAGE],
            )
            if word(reply) != "crowd":
                break
            live, live_next = reply[2], reply[3]
            numbers = [drawn.number_of(int(entrant)) for entrant in reply[1]]
            if not numbers:
                break
            told = await self._store.run(
                "carry",
                [keys.settings(event), keys.left(event, after), keys.done(event, after)],
                [before, carried, *numbers],
            )
            if word(told) not in ("carried", "elsewhere"):
                break
            carried = int(told[1])
        both = (drawn, live), (drawn, live_next)
        first, second = [await asyncio.to_thread(heard_of, *one) for one in both]
        return first, second

    async def _carry_owners(self, drawn: Drawn) -> None:
        """Places that changed hands in the pre-queue, as numbers of the line to come."""
        event, before, after = drawn.lottery.event, drawn.lottery.generation, drawn.generation
        names = [keys.settings(event), keys.owners(event, after), keys.moves(event, after)]
        for start in range(0, OWNERS_MAX, CARRY_PAGE):
            last = start + CARRY_PAGE - 1
            page = await self._store.ask(
                self._store.redis.lrange(keys.moves(event, before), start, last)
            )
            moves = [(int(number), *rest) for number, *rest in (m.split(b":", 2) for m in page)]
            flat = [part for entrant, *rest in moves for part in (drawn.number_of(entrant), *rest)]
            if not flat:
                return
            await self._store.run("own", names, [before, *flat])

    def _now_ms(self) -> int:
        return self._own.ms() if self._own else 0


def heard_of(drawn: Drawn, live: bytes) -> bytes:
    """The bitmap of entrants as one of drawn numbers. Bit n of a Redis bitmap is the bit of value
    128 >> n % 8 in byte n // 8.
    """
    count = drawn.lottery.count
    if count > LIVE_EXACT_MAX:
        return b"\xff" * (count // 8 + 1)
    heard = bytearray(count // 8 + 1)
    for entrant in _ones(live):
        if 0 < entrant <= count:
            number = drawn.number_of(entrant)
            heard[number // 8] |= 128 >> number % 8
    return bytes(heard)


def _ones(bitmap: bytes) -> Iterable[int]:
    for at, byte in enumerate(bitmap):
        if byte:
            yield from (at * 8 + bit for bit in range(8) if byte & (128 >> bit))


def _note(changes: dict[str, object]) -> bytes:
    """As console.Change; the script writes the moment."""
    return msgspec.json.encode({"at": 0, "actor": ACTOR, "changes": changes})
