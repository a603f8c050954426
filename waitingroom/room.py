"""All rooms, as the rest of the product sees them: the verbs, and who does each."""

from random import Random

from redis.asyncio import Redis

from kernel.clock import Clock
from kernel.keyring import Keyring
from waitingroom.abuse import Door
from waitingroom.claims import Claims
from waitingroom.cohort import Cohort
from waitingroom.console import Console
from waitingroom.doorman import Doorman
from waitingroom.entries import EntryBook
from waitingroom.handover import LIFE_S, Handovers
from waitingroom.hands import Hands
from waitingroom.invitations import Invitations
from waitingroom.line import Line
from waitingroom.memory import Memory
from waitingroom.programs import Programs
from waitingroom.proof import ProofDesk
from waitingroom.reader import Reader
from waitingroom.recovery import Recovery
from waitingroom.schedule import Schedule
from waitingroom.signs import Signs
from waitingroom.store import Store
from waitingroom.tallies import Tallies
from waitingroom.throttle import Throttle
from waitingroom.traffic import Traffic


class Rooms:
    """`reader` must run (or be refreshed) in processes that answer visitors or ask for
    snapshots; the other verbs need only Redis.
    """

    def __init__(
        self,
        redis: "Redis",
        *,
        clock: Clock,
        keyring: Keyring,
        chance: Random | None = None,
        gate_clock: Clock | None = None,
        door: Door | None = None,
    ) -> None:
        """`gate_clock` replaces Redis's own clock at the gate, in tests; without a `door` of its
        own the room has one with the usual rules.
        """
        self.clock, self.keyring = clock, keyring
        self.book, self.proofs = EntryBook(keyring), ProofDesk(keyring, clock)
        self.door = door or Door(clock)
        store, memory = Store(redis), Memory()
        self.signs, cohort = Signs(store, clock), Cohort(store)
        store.mend = Recovery(store, memory, cohort, gate_clock).mend
        self.reader = Reader(store, memory, clock, self.signs, cohort)
        chance = chance or Random()  # noqa: S311  # it only spreads polls
        hands = Hands(store, memory, cohort)
        line = Line(store, self.reader, hands, self.signs, self.book, clock=clock, chance=chance)
        claims = Claims(store, self.reader, self.signs, keyring, clock, gate_clock)
        schedule, traffic = Schedule(store, keyring, clock, gate_clock), Traffic(store, gate_clock)
        throttle, console = Throttle(store, clock, schedule, traffic), Console(store, clock)

        self.all_events = store.events
        self.snapshot = self.reader.of
        # Visitors.
        handovers = Handovers(store, line, hands, keyring, clock)
        self.join, self.place = line.join, line.place
        self.heartbeat = cohort.following(line.heartbeat, moving=False)
        self.leave = cohort.following(line.leave)
        self.claim = cohort.following(claims.claim)
        self.lottery, self.invitations = schedule.published, Invitations(keyring, clock)
        self.hand_over, self.take_over = handovers.offer, handovers.take
        self.read_handover, self.handover_life_s = handovers.read, LIFE_S
        # Web servers in front of other sites.
        self.doorman = Doorman(keyring, clock, claims)
        # Notices and questions from sales.
        self.keep, self.free, self.hear = claims.keep, claims.free, traffic.hear
        self.admit = Programs(store, claims, keyring, gate_clock).admit
        # The ticker.
        self.advance, self.watch = schedule.advance, traffic.watch
        self.lead, self.tick, self.tick_all = throttle.lead, throttle.tick, throttle.tick_all
        # Operators.
        self.open, self.configure, self.reset = console.open, console.configure, console.reset
        self.settings, self.changes = console.settings, console.changes
        self.tell_tally, self.tally = Tallies(store).tell, Tallies(store).of
