"""Somebody else's site with the gate in front of it, and the way to the room, which can be cut."""

import asyncio
from urllib.parse import urlsplit

import httpx

from tests.web.room_site import EVENT, Site
from waitingroom.gate import QueueGate
from waitingroom.gate.roomwatch import RoomWatch

SHOP = "https://shop.example"
ROOM = "http://localhost:18201"
PAGE = {"accept": "text/html"}


async def hall(scope, receive, send):
    """A site that knows nothing of queues."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    visit = scope.get("queue_visit")
    body = f"inside {visit.num if visit else '-'}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


class Street:
    """The room, and the way from the gate to it, which can be cut."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.is_cut = False
        self.asked: list[str] = []
        self.time_s = 0.0

    async def fetch(self, address: str) -> bytes:
        self.asked.append(urlsplit(address).path)
        if self.is_cut:
            raise OSError("nobody there")
        answer = await self.site.visitor().get(urlsplit(address).path)
        if not answer.is_success:
            raise OSError(answer.status_code)
        return answer.content

    def gate(self, **more) -> QueueGate:
        options = {"room": ROOM, "protect": {"/concert": EVENT}, "secret": "s", "site": SHOP}
        gate = QueueGate(
            hall, **(options | more), fetch=self.fetch, now=lambda: self.site.clock.ms() / 1000
        )
        gate._room = RoomWatch(
            ROOM, more.get("keys"), fetch=self.fetch, monotonic=lambda: self.time_s
        )
        return gate

    async def later(self, seconds: float, gate=None) -> None:
        """Time goes by for the gate; with one, somebody comes, and it asks the room."""
        self.time_s += seconds
        if gate is not None:
            await person(gate).get("/concert")
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    async def new_pass(self, **visitor) -> str:
        """Somebody waits, is called and let in."""
        person = self.site.visitor(**visitor)
        assert (await person.post(f"/rooms/{EVENT}/entries")).is_success
        await self.site.move(1.0)
        claimed = await person.post(f"/rooms/{EVENT}/claims")
        assert claimed.status_code == 201
        return str(claimed.json()["pass"])


def person(gate, **headers) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(gate, client=("10.0.0.1", 1))
    return httpx.AsyncClient(transport=transport, base_url=SHOP, headers=headers)


def said(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["code"]
