"""The consumer: carries what was written to the read model and to whom else it concerns.

A place that was selected becomes not free in the read model, and only then joins its order. An
order that let a place go, or was cancelled, frees its places, which the read model hears of later
still (contract §4). Every step is kept before the next is taken, so `kill -9` repeats nothing.
"""

import asyncio

import structlog

from kernel.clock import Clock
from sandbox.provider.outbox import Outbox
from sandbox.provider.records import Message, Records
from sandbox.provider.switchboard import Switchboard

KINDS = ("place", "order")
# Messages of one hall and kind that arrive in one transaction.
BATCH_MAX = 200
# The real scheduler ticks every 10 ms; twice as often, so that a ceiling of 100 is reached.
TICK_S = 0.005
# Under a ceiling, what was not used in this time is gone.
BANKED_S = 0.05
log = structlog.get_logger()


class Consumer:
    def __init__(
        self, records: Records, outbox: Outbox, switchboard: Switchboard, clock: Clock
    ) -> None:
        self._records, self._outbox = records, outbox
        self._switchboard, self._clock = switchboard, clock
        # Halls that have swallowed the pill. A new start forgets them, meets the same message,
        # and stops again.
        self.stopped: set[int] = set()
        # By hall and kind: messages that may go now, and since when.
        self._purses: dict[tuple[int, str], tuple[float, int]] = {}

    async def run(self) -> None:
        while True:
            try:
                carried = self.step()
            except Exception:  # the top loop of the consumer: one bad moment must not end it
                log.exception("messages not carried")
                carried = 0
            if not self._outbox.halls:
                self._outbox.bell.clear()
                await self._outbox.bell.wait()
            await asyncio.sleep(0 if carried else TICK_S)

    def step(self) -> int:
        """Carry what is due now, at most a batch a hall and kind; returns how many."""
        carried = 0
        for hall in sorted(self._outbox.halls):
            with self._records.together():
                moved = sum(self._carry(hall, kind) for kind in KINDS)
                if not moved and not self._records.has_message(hall):
                    self._outbox.halls.discard(hall)
            carried += moved
        return carried

    def _carry(self, hall: int, kind: str) -> int:
        faults = self._switchboard.of(hall)
        if kind == "place" and (faults.poisoned or self._has_stopped(hall)):
            return 0
        rate, now_ms = faults.event_rate, self._clock.ms()
        limit = self._may_go(hall, kind, rate, now_ms) if rate else BATCH_MAX
        messages = self._records.due(hall, kind, now_ms, limit, unfair=rate > 0) if limit else []
        for number, message in enumerate(messages):
            if not self._arrive(message):
                self.stopped.add(hall)
                self._switchboard.count("poison")
                log.error("poison pill: place messages stop", hall=hall, order=message.subject)
                return number
            self._records.drop_message(message.seq)
        if rate:
            self._spend(hall, kind, len(messages))
        return len(messages)

    def _has_stopped(self, hall: int) -> bool:
        """Once the pill is disarmed, the consumer goes on past it."""
        if not self._switchboard.of(hall).poison_armed:
            self.stopped.discard(hall)
        return hall in self.stopped

    def _may_go(self, hall: int, kind: str, rate: float, now_ms: int) -> int:
        """Whole messages that the ceiling allows now."""
        purse, at_ms = self._purses.get((hall, kind), (1.0, now_ms))
        purse = min(purse + rate * (now_ms - at_ms) / 1000, max(1.0, rate * BANKED_S))
        self._purses[hall, kind] = purse, now_ms
        return min(int(purse), BATCH_MAX)

    def _spend(self, hall: int, kind: str, count: int) -> None:
        purse, at_ms = self._purses[hall, kind]
        self._purses[hall, kind] = purse - count, at_ms

    def _arrive(self, message: Message) -> bool:
        """False: it cannot be applied, and never will."""
        if message.kind == "order":
            self._order_changed(message)
            return True
        self._records.show_place(message.aggregate, free=message.what != "selected")
        return message.what != "selected" or self._join(message)

    def _join(self, message: Message) -> bool:
        """The place joins its order, if that still takes any."""
        hall, place_id, order_id = message.hall, message.aggregate, message.subject
        assert order_id is not None
        order = self._records.find_order(hall, order_id)
        if order is None:
            return True
        if order.status != "STARTED":
            if self._switchboard.of(hall).poison_armed:
                return False
            log.warning("place lost: its order takes no more", place=place_id, order=order_id)
            return True
        self._records.move_order(order, order.status, self._clock.ms())
        self._records.join(order_id, place_id)
        self._outbox.post_order(
            hall,
            order_id,
            order.revision + 1,
            "joined",
            status=order.status,
            count=order.count + 1,
        )
        return True

    def _order_changed(self, message: Message) -> None:
        self._records.show_order(message)
        if message.what == "left":
            assert message.subject is not None
            self._free(message.hall, message.subject, message.aggregate)
        elif message.what == "cancelled":
            for place_id, _ in self._records.taken_by(message.aggregate):
                self._free(message.hall, place_id, message.aggregate)

    def _free(self, hall: int, place_id: str, order_id: str) -> None:
        place = self._records.find_place(hall, place_id)
        if place is not None and place.order_id == order_id:
            self._records.take_place(place_id, place.revision, None)
            self._outbox.post_place(hall, place_id, place.revision + 1, "freed")
