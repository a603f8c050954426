"""All that the waiting room's process answers."""

from typing import Any

from waitingroom.web.gatehouse import authorize, jwks, onward
from waitingroom.web.handovers import (
    hand_over,
    queue_hand_over,
    queue_handover,
    queue_take,
    take_over,
)
from waitingroom.web.live import live
from waitingroom.web.lot import lottery_page
from waitingroom.web.places import (
    allowed_on_my_place,
    claim,
    heartbeat,
    join,
    leave,
    lottery,
    my_place,
    status,
)
from waitingroom.web.queue import (
    front,
    queue_claim,
    queue_join,
    queue_leave,
    queue_page,
    queue_place,
)
from waitingroom.web.service import admit_program, hear_traffic


def routes() -> list[Any]:
    """Needs `rooms`, `secure_cookies`, `pages` and the per-request `visitor` (a subject)."""
    calls = [status, join, my_place, heartbeat, claim, leave, lottery, live, authorize, jwks]
    pages = [front, queue_page, queue_place, queue_join, queue_leave, queue_claim]
    pages += [lottery_page, onward]
    service = [hear_traffic, admit_program]
    given = [hand_over, take_over, queue_hand_over, queue_handover, queue_take]
    # First: else the framework makes up one of its own.
    return [allowed_on_my_place, *calls, *pages, *service, *given]
