"""Where a visitor stands, as it is told: arithmetic on a snapshot, no Redis."""

from random import Random
from typing import Literal

import msgspec

from waitingroom.entries import Entry
from waitingroom.pace import Eta, eta_of, is_near, poll_after_ms, poll_before_ms
from waitingroom.plan import Word
from waitingroom.reader import Reader
from waitingroom.snapshot import Snapshot

# Passed: over, while absent. Whoever asks is not absent and waits for the very next call.
Stage = Literal["waiting", "passed", "called", "inside", "lapsed", "over"]


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a visitor stands. `position` is 1 for the next to be called and 0 for the called;
    `state` is the room's word, `stage` the visitor's own: lapsed came too late, over was let in
    and is no longer. In the pre-queue number, position and ahead are null: the draw decides them.
    """

    number: int | None
    position: int | None
    ahead: int | None
    eta: Eta | None
    called: bool
    state: Word
    stage: Stage
    poll_after_ms: int
    # What part of the way since the join is done, 0 to 1.
    progress: float
    # The number called last.
    serving: int
    # What the operator tells the waiting; may be empty.
    message: str
    # How old all this is; above 0 while Redis doesn't answer.
    age_s: int
    # The number in the lottery of whoever was in the pre-queue.
    entrant: int | None = None
    # Whether the place is in the lane of the invited: number and position are of that lane.
    invited: bool = False


class PlaceTeller:
    def __init__(self, reader: Reader, chance: Random) -> None:
        self._reader = reader
        self._chance = chance

    def waiting(self, snapshot: Snapshot, entry: Entry) -> Place:
        settings, number = snapshot.settings, entry.num
        awaits = settings.awaits_draw and not entry.lane
        if awaits and entry.gen == settings.generation:
            return self._entrant(snapshot, entry)
        ahead = snapshot.ahead_of(number)
        eta = eta_of(snapshot, number)
        done, way = snapshot.serving - entry.srv, max(1, number - entry.srv)
        return Place(
            number=number,
            position=ahead + 1,
            ahead=ahead,
            eta=eta,
            called=False,
            state=snapshot.state,
            stage="waiting",
            poll_after_ms=poll_after_ms(
                eta, called=False, chance=self._chance, is_near=is_near(snapshot, number)
            ),
            progress=round(min(1.0, done / way), 4) if done > 0 else 0.0,
            serving=snapshot.serving,
            message=settings.message,
            age_s=self._reader.age_s,
            entrant=snapshot.entrant_of(entry) if snapshot.drawn else None,
            invited=bool(entry.lane),
        )

    def _entrant(self, snapshot: Snapshot, entry: Entry) -> Place:
        """In the pre-queue: nobody is before or behind anybody."""
        return Place(
            number=None,
            position=None,
            ahead=None,
            eta=None,
            called=False,
            state=snapshot.state,
            stage="waiting",
            poll_after_ms=self._ask_before(snapshot),
            progress=0.0,
            serving=0,
            message=snapshot.settings.message,
            age_s=self._reader.age_s,
            entrant=entry.number,
        )

    def _ask_before(self, snapshot: Snapshot) -> int:
        if snapshot.awaits_outside:  # nobody knows for how long
            return poll_after_ms(None, called=False, chance=self._chance)
        return poll_before_ms(snapshot.opens_in_ms, self._chance)

    def called(self, snapshot: Snapshot, entry: Entry, stage: Stage) -> Place:
        return Place(
            number=entry.number,
            position=0,
            ahead=0,
            eta=Eta(0, 0),
            called=True,
            state=snapshot.state,
            stage=stage,
            poll_after_ms=poll_after_ms(None, called=True, chance=self._chance),
            progress=1.0,
            serving=snapshot.serving,
            message=snapshot.settings.message,
            age_s=self._reader.age_s,
            entrant=snapshot.entrant_of(entry),
            invited=bool(entry.lane),
        )
