"""All that the waiting room's process answers."""

from typing import Any

from waitingroom.web.gatehouse import authorize, jwks, onward
from waitingroom.web.live import live
from waitingroom.web.places import claim, heartbeat, join, leave, lottery, my_place, status
from waitingroom.web.queue import queue_claim, queue_join, queue_leave, queue_page, queue_place


def routes() -> list[Any]:
    """Needs `rooms`, `secure_cookies`, `pages` and the per-request `visitor` (a subject)."""
    calls = [status, join, my_place, heartbeat, claim, leave, lottery, live, authorize, jwks]
    return [*calls, queue_page, queue_place, queue_join, queue_leave, queue_claim, onward]
