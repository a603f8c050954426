"""The calls of the contract, as a program makes them."""

from typing import Any

import httpx

TABLES = ("orders", "order_line", "seat_claim", "payment", "ticket", "notice", "audit", "epoch")


async def book(api: httpx.AsyncClient, event_id: int) -> int:
    answer = await api.post("/api/bookings", json={"event_id": event_id})
    assert answer.status_code == 201, answer.text
    booking: int = answer.json()["id"]
    return booking


async def select(api: httpx.AsyncClient, booking: int, seat: int) -> httpx.Response:
    return await api.patch("/api/seats/select", json={"booking_id": booking, "seat_id": seat})


async def release(api: httpx.AsyncClient, seat: int) -> httpx.Response:
    return await api.patch("/api/seats/release", json={"seat_id": seat})


async def act(api: httpx.AsyncClient, what: str, booking: int) -> httpx.Response:
    return await api.patch(f"/api/bookings/{what}", json={"booking_id": booking})


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def state_of(db, redis) -> tuple[Any, ...]:
    """Everything that a sale consists of."""
    rows = [
        [tuple(row) for row in await db.fetch(f"SELECT {name}::text FROM {name} ORDER BY 1")]
        for name in TABLES
    ]
    seats = sorted([(name, await redis.dump(name)) for name in await redis.keys("*:{*}")])
    return rows, [pair for pair in seats if b"epoch" not in pair[0]]
