"""Signs of life: heartbeats, and polls, which are as good.

A beat is written once a window and waiter by each process; a storm of them ends in memory. Polls
are gathered and written together, so that being asked for one's place costs no Redis call.
"""

from kernel.clock import Clock
from kernel.convoy import Convoy
from waitingroom import keys
from waitingroom.entries import Entry, GenerationOver, NoEntry
from waitingroom.store import RoomAway, RoomUnknown, Store

# A live bitmap is read for two windows; another is left for clocks that differ.
LIVE_TTL_S = 3 * keys.LIVE_WINDOW_MS // 1000
# Beyond this many the gathered or known ones are forgotten: one beat more for some.
NOTED_MAX = 100_000
KNOWN_MAX = 500_000
# Numbers a command: some 1 ms of Redis.
PAGE = 1_000

# Beats a command, so that nobody waits long behind it.
BEATS_MAX = 128

# Event and line.
Of = tuple[int, keys.LineId]


class Signs:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[Of, dict[int, Entry]] = {}
        self._known: dict[Of, set[int]] = {}
        self._window = 0
        # Those who beat at the same moment travel together.
        self._convoys: dict[Of, Convoy[Entry, bool]] = {}

    def note(self, entry: Entry) -> None:
        """Somebody asked for this place: it will be written with others."""
        if self._is_known(entry):
            return
        noted = self._noted.setdefault((entry.event, entry.line), {})
        if len(noted) < NOTED_MAX:
            noted[entry.number] = entry

    async def beat(self, entry: Entry, *, is_passed: bool = False) -> None:
        """Write it now, unless it was in this window. Who `is_passed` over is back with it.
        Raises NoEntry (the number was used or given up), GenerationOver, RoomUnknown, RoomAway.
        """
        if not is_passed and self._is_known(entry):
            return
        of = entry.event, entry.line
        convoy = self._convoys.get(of)
        if convoy is None:
            convoy = self._convoys[of] = Convoy(self._beat_together, size_max=BEATS_MAX)
        if not await convoy.ask(entry):
            raise NoEntry

    def forget(self, entry: Entry) -> None:
        """The place was given up: the next sign of it is looked at anew."""
        self._known.get((entry.event, entry.line), set()).discard(entry.number)

    async def flush(self) -> None:
        """Write what polls have told. What Redis doesn't take the next polls tell again."""
        noted, self._noted = self._noted, {}
        for entries in noted.values():
            waiting = list(entries.values())
            for start in range(0, len(waiting), PAGE):
                try:
                    await self._write(waiting[start : start + PAGE])
                except (GenerationOver, RoomUnknown, RoomAway):
                    break

    async def _beat_together(self, entries: list[Entry]) -> list[bool]:
        """Which of them are still in line."""
        gone = await self._write(entries)
        return [entry.number not in gone for entry in entries]

    async def _write(self, entries: list[Entry]) -> set[int]:
        """Numbers of these that are no longer in line."""
        event, now_ms = entries[0].event, self._clock.ms()
        reply = await self._store.run_for_entry(
            "heartbeat",
            entries[0],
            lambda gen: [
                keys.settings(event),
                keys.line(event, gen),
                *keys.live_pair(event, gen, now_ms),
                keys.called(event, gen),
                keys.done(event, gen),
                keys.knocked(event, gen),
                keys.returned(event, gen),
            ],
            [LIVE_TTL_S, *(entry.number for entry in entries)],
        )
        self._turn(now_ms)
        known = self._known.setdefault((event, entries[0].line), set())
        if len(known) >= KNOWN_MAX:
            known.clear()
        gone = set(reply[1:])
        known.update(entry.number for entry in entries if entry.number not in gone)
        return gone

    def _is_known(self, entry: Entry) -> bool:
        self._turn(self._clock.ms())
        return entry.number in self._known.get((entry.event, entry.line), ())

    def _turn(self, now_ms: int) -> None:
        """A new window: everybody has to be heard anew."""
        window = now_ms // keys.LIVE_WINDOW_MS
        if window != self._window:
            self._window = window
            self._known.clear()
