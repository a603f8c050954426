"""Places that change hands: a device's becomes its account's, and whoever gave a place away is not
its owner, whatever entries they still have. Handing over by a link: see waitingroom.handover.
"""

import msgspec

from kernel.lua import word
from waitingroom import keys
from waitingroom.cohort import Cohort
from waitingroom.entries import Entry, GenerationOver
from waitingroom.memory import Memory, Owner
from waitingroom.store import Store


def passing(event: int, line: keys.LineId, giver: bytes, taker: bytes) -> list[str]:
    """The keys of a command by which a place passes from one subject to another."""
    return [
        keys.settings(event),
        keys.line(event, line),
        keys.places(event, line, giver),
        keys.places(event, line, taker),
        keys.done(event, line),
        keys.left(event, line),
        keys.knocked(event, line),
        keys.owners(event, line),
        keys.moves(event, line),
    ]


class Hands:
    def __init__(self, store: Store, memory: Memory, cohort: Cohort) -> None:
        self._store, self._memory, self.cohort = store, memory, cohort

    async def adopt(self, entry: Entry, subject: str) -> None:
        """The entry's place becomes the subject's. Nothing to adopt (it ended, or the line started
        anew) is no error: the join decides.
        """
        entry = await self.cohort.follow(entry)
        await self.cohort.settle(entry.event, subject)
        giver, taker, event = keys.member(entry.subject), keys.member(subject), entry.event
        try:
            reply = await self._store.run_for_entry(
                "adopt",
                entry,
                lambda line: passing(event, line, giver, taker),
                [giver, taker, entry.number, entry.hands],
            )
        except GenerationOver:
            return
        if word(reply) == "adopted" and reply[2]:
            self.moved(entry, subject, int(reply[2]))

    def moved(self, entry: Entry, subject: str, hands: int) -> Entry:
        """The entry of the new owner, whom this process knows from now on."""
        owner = Owner(hands, keys.member(subject))
        lane = entry.lane > 0
        self._memory.moved(entry.event, entry.line, [(entry.number, owner)], lane=lane)
        return msgspec.structs.replace(entry, sub=subject, hands=hands)

    def held(self, mine: Entry, came_with: Entry | None) -> Entry:
        """A fresh entry of a place, at least as new as the one that its owner came with."""
        owner, hands = self._memory.owner_of(mine), 0
        if owner is not None and owner.whose == keys.member(mine.subject):
            hands = owner.hands
        if came_with is not None and came_with.subject == mine.subject:
            hands = max(hands, came_with.hands)
        return msgspec.structs.replace(mine, hands=hands) if hands else mine

    async def disown(self, event: int, subject: str, line: keys.LineId, number: int) -> bool:
        """Whether the number was somebody else's, and the subject has no place any more."""
        lane = line.lane if isinstance(line, keys.LaneId) else 0
        theirs = Entry(event, keys.generation_of(line), number, subject, 0, lane=lane)
        owner, who = self._memory.owner_of(theirs), keys.member(subject)
        if owner is None or owner.whose == who:
            return False
        reply = await self._store.run(
            "disown",
            [
                keys.settings(event),
                keys.places(event, line, who),
                keys.owners(event, line),
            ],
            [theirs.generation, who, number],
        )
        return word(reply) == "disowned"
