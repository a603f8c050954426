"""What has been written and must travel: into the read model, and from places into orders."""

import asyncio

from kernel.clock import Clock
from sandbox.provider.records import Message, Records
from sandbox.provider.switchboard import Switchboard


class Outbox:
    def __init__(self, records: Records, switchboard: Switchboard, clock: Clock) -> None:
        self._records, self._switchboard, self._clock = records, switchboard, clock
        # Halls that have messages under way, and a bell for whoever carries them.
        self.halls = records.waiting()
        self.bell = asyncio.Event()

    def post_place(
        self, hall: int, place_id: str, revision: int, what: str, order_id: str | None = None
    ) -> None:
        """`what`: created, selected (by `order_id`), freed."""
        self._post(hall, "place", place_id, revision, what, subject=order_id)

    def post_order(
        self,
        hall: int,
        order_id: str,
        revision: int,
        what: str,
        *,
        status: str,
        count: int,
        place_id: str | None = None,
    ) -> None:
        """`what`: started, joined, left (`place_id` did), submitted, confirmed, cancelled;
        `status` and `count` as they are after it.
        """
        self._post(
            hall, "order", order_id, revision, what, subject=place_id, status=status, count=count
        )

    def _post(
        self,
        hall: int,
        kind: str,
        aggregate: str,
        revision: int,
        what: str,
        *,
        subject: str | None,
        status: str | None = None,
        count: int | None = None,
    ) -> None:
        now_ms = self._clock.ms()
        self._records.add_message(
            Message(
                hall=hall,
                kind=kind,
                aggregate=aggregate,
                revision=revision,
                what=what,
                subject=subject,
                status=status,
                count=count,
                at_ms=now_ms,
                due_ms=now_ms + self._switchboard.lag_ms(hall),
            )
        )
        self.halls.add(hall)
        self.bell.set()
