"""What one sales process answers calmly: the processor time of each kind of request that arms an
automatic room, and the threshold that follows from it. `python -m loadtest.calm`

Processor time, not time on the clock: on a machine that does other things as well it says nearly
the same.
"""

import sys
from collections.abc import Callable

import httpx

from loadtest.blast import cpu_seconds
from loadtest.stand import Stand, standing

EACH, WARM = 200, 10
WINDOW_S = 5
# Of one process: the crowd may double twice before an arming is felt, two seconds later.
ARM_PART = 1 / 4
STAR = 1
BUYER = ("bek@demo.biletter.kz", "bek-demo-2025")
# How often each is asked by somebody who looks, chooses and books.
MIX = {"event page": 3, "seat map page": 3, "hold": 3, "booking": 1}


def main() -> int:
    with standing({"BILETTER_ROOM_MODE": "off"}) as stand:
        costs = measure(stand)
    asked = sum(MIX.values())
    mean_ms = sum(costs[name] * part for name, part in MIX.items()) / asked
    for name, cost_ms in costs.items():
        print(f"{name:<16}{cost_ms:>8.2f} ms of a processor each")
    print(
        f"{'as people ask':<16}{mean_ms:>8.2f} ms: {1000 / mean_ms:.0f} a second are all there is"
    )
    print(f"arm_requests about {WINDOW_S * ARM_PART * 1000 / mean_ms:.0f} a sales process")
    return 0


def measure(stand: Stand) -> dict[str, float]:
    """Milliseconds by kind of request."""
    pids = stand.pids("run", "sales")
    pages = httpx.Client(base_url=stand.base(), headers={"accept": "text/html"}, timeout=20)
    api = httpx.Client(base_url=stand.base(), auth=BUYER, timeout=20)
    booking = api.post("/api/bookings", json={"event_id": STAR}).json()["id"]
    seat = api.get("/api/seats", params={"event_id": STAR, "status": "FREE"}).json()[0]["id"]

    def hold_and_release() -> None:
        api.patch("/api/seats/select", json={"booking_id": booking, "seat_id": seat})
        api.patch("/api/seats/release", json={"seat_id": seat})

    kinds: dict[str, tuple[int, Callable[[], object]]] = {
        "event page": (1, lambda: pages.get(f"/events/{STAR}")),
        "seat map page": (1, lambda: pages.get(f"/events/{STAR}/zones/1")),
        "hold": (2, hold_and_release),
        "booking": (1, lambda: api.post("/api/bookings", json={"event_id": STAR})),
    }
    costs: dict[str, float] = {}
    for name, (requests, ask) in kinds.items():
        for _ in range(WARM):
            ask()
        before = cpu_seconds(pids)
        for _ in range(EACH):
            ask()
        costs[name] = (cpu_seconds(pids) - before) * 1000 / (EACH * requests)
    return costs


if __name__ == "__main__":
    sys.exit(main())
