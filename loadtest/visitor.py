"""One simulated visitor of a guarded event: queue, seats, payment, the way a program goes.

What becomes of a visitor is one word of OUTCOMES. Nothing here sleeps longer than the service asks.
"""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import msgspec

from loadtest.wire import Answer, Wire, basic

Kind = Literal["buying", "patient", "returning", "leaving", "vanishing"]
GOOD_CARD = "4111111111111111"
DECLINED_CARD = "4000000000000002"
# How often a visitor asks again for a seat that somebody else was quicker to take.
SEAT_TRIES = 8
# How long a buyer waits for the tickets after paying.
TICKET_WAIT_S = 30.0
RETRY_MAX_S = 5.0
JOIN_TRIES = 20
STATE_POLL_S = 0.3
# The share of patient visitors who only look.
GIVES_BACK = 0.3
OK, CREATED, FOUND, SEE_OTHER, CONFLICT, SEAT_CONFLICT = 200, 201, 302, 303, 409, 419
BUSY = (429, 503)
HIDDEN = re.compile(r'name="(?P<name>[^"]+)"[^>]*value="(?P<value>[^"]*)"')


def demo_account(number: int) -> tuple[str, str]:
    """E-mail and password of the crowd's account of this number, as the demo seed makes them."""
    name = f"crowd-{number:05d}"
    return f"{name}@demo.biletter.kz", name


class Gone(Exception):
    """The visit ended early; the message is the outcome."""


class Sites(msgspec.Struct):
    """The three addresses a visitor deals with."""

    sales: Wire
    room: Wire
    gateway: Wire


class Visit(msgspec.Struct, kw_only=True):
    kind: Kind
    event: int
    email: str
    password: str
    sites: Sites
    chance: random.Random
    # Told of each step and its seconds.
    note: Callable[[str, float], None]
    number: int | None = None
    entry: str = ""
    pass_: str = ""
    card: str = GOOD_CARD
    seats_wanted: int = 2
    booking: int | None = None

    async def ask_room(self, step: str, method: str, path: str) -> Answer:
        """A call on the waiting room, by the entry once there is one."""
        place = {"Authorization": f"Entry {self.entry}"}
        headers = place if self.entry and step != "join" else basic(self.email, self.password)
        return await self._timed(step, self.sites.room.request(method, path, headers=headers))

    async def ask_sales(self, step: str, method: str, path: str, json: object = None) -> Answer:
        headers = basic(self.email, self.password)
        if self.pass_:
            headers["X-Queue-Pass"] = self.pass_
        request = self.sites.sales.request(method, path, headers=headers, json=json)
        return await self._timed(step, request)

    async def _timed(self, step: str, request: Awaitable[Answer]) -> Answer:
        started = time.perf_counter()
        answer = await request
        self.note(step, time.perf_counter() - started)
        return answer


async def visit(one: Visit) -> str:
    """Walk the whole way; returns the outcome."""
    try:
        one.pass_ = await queue(one)
        return await buy(one)
    except Gone as gone:
        return str(gone)
    except (OSError, TimeoutError) as error:
        return f"no answer ({type(error).__name__})"


async def queue(one: Visit) -> str:
    """Join, wait, claim; returns the pass."""
    await join(one)
    if one.kind == "returning":
        await come_back(one)
    polls_left = one.chance.randint(1, 4) if one.kind in ("leaving", "vanishing") else -1
    while True:
        answer = await one.ask_room("place", "GET", f"/rooms/{one.event}/entries/me")
        if answer.status in BUSY:
            await asyncio.sleep(retry_after(answer, one.chance))
            continue
        if answer.status != OK:
            raise Gone(f"place refused: {code_of(answer)}")
        me = answer.json()
        if me["called"]:
            pass_ = await claim(one)
            if pass_ is not None:
                return pass_
        polls_left -= 1
        if polls_left == 0:
            await leave(one)
        await asyncio.sleep(me["poll_after_ms"] / 1000)


async def come_back(one: Visit) -> None:
    """Close the browser, sign in elsewhere: the place must be the same."""
    await asyncio.sleep(one.chance.uniform(1, 4))
    before = one.number
    await join(one)
    if one.number != before:
        raise Gone("WRONG: another number after coming back")


async def join(one: Visit) -> None:
    for _ in range(JOIN_TRIES):
        answer = await one.ask_room("join", "POST", f"/rooms/{one.event}/entries")
        if answer.status in (OK, CREATED):
            body = answer.json()
            one.entry, one.number = body["entry"], body["number"]
            return
        if answer.status not in BUSY:
            raise Gone(f"join refused: {code_of(answer)}")
        await asyncio.sleep(retry_after(answer, one.chance))
    raise Gone("join: gave up")


async def claim(one: Visit) -> str | None:
    """The pass, or None: the gate is full and the place is kept."""
    answer = await one.ask_room("claim", "POST", f"/rooms/{one.event}/claims")
    if answer.status == CREATED:
        return str(answer.json()["pass"])
    if answer.status in (CONFLICT, *BUSY):
        await asyncio.sleep(retry_after(answer, one.chance))
        return None
    raise Gone(f"claim refused: {code_of(answer)}")


async def leave(one: Visit) -> None:
    if one.kind == "leaving":
        await one.ask_room("leave", "DELETE", f"/rooms/{one.event}/entries/me")
        raise Gone("left the queue")
    raise Gone("vanished silently")


async def buy(one: Visit) -> str:
    answer = await one.ask_sales("book", "POST", "/api/bookings", {"event_id": one.event})
    if answer.status != CREATED:
        raise Gone(f"booking refused: {code_of(answer)}")
    one.booking = answer.json()["id"]
    if not await choose(one):
        raise Gone("no seat left to take")
    reference = {"booking_id": one.booking}
    if one.kind == "patient" and one.chance.random() < GIVES_BACK:
        await one.ask_sales("cancel", "PATCH", "/api/bookings/cancel", reference)
        return "looked and gave the seats back"
    answer = await one.ask_sales("checkout", "PATCH", "/api/bookings/initiatePayment", reference)
    if answer.status != FOUND:
        raise Gone(f"checkout refused: {code_of(answer)}")
    await submit_card(one, path_of(answer.headers["location"]))
    return await await_tickets(one)


async def choose(one: Visit) -> int:
    """Take seats from a page of the free ones; others may be quicker. Returns how many."""
    taken = 0
    for _ in range(SEAT_TRIES):
        path = f"/api/seats?event_id={one.event}&status=FREE&page={one.chance.randint(1, 20)}"
        answer = await one.ask_sales("seats", "GET", path)
        free = answer.json() if answer.status == OK else []
        for seat in free[: one.seats_wanted - taken]:
            body = {"booking_id": one.booking, "seat_id": seat["id"]}
            held = await one.ask_sales("hold", "PATCH", "/api/seats/select", body)
            if held.status == OK:
                taken += 1
            elif held.status != SEAT_CONFLICT:
                raise Gone(f"hold refused: {code_of(held)}")
        if taken == one.seats_wanted:
            break
    return taken


async def submit_card(one: Visit, form_path: str) -> None:
    """Fill in the card form as a person would; fields the page hides travel along."""
    gateway = one.sites.gateway
    page = (await gateway.request("GET", form_path)).body.decode()
    fields = {m["name"]: m["value"] for m in HIDDEN.finditer(page)}
    fields |= {"CardNumber": one.card, "ExpiryDate": "12/39", "Cvv": "123"}
    fields |= {"CardholderName": "CROWD VISITOR", "Email": "crowd@demo.biletter.kz"}
    started = time.perf_counter()
    answer = await gateway.request(
        "POST", "/api/v1/paymentform/submit", form=urlencode(fields).encode()
    )
    one.note("card", time.perf_counter() - started)
    if answer.status not in (FOUND, SEE_OTHER):
        raise Gone(f"card form answered {answer.status}")


async def await_tickets(one: Visit) -> str:
    started = time.perf_counter()
    while time.perf_counter() - started < TICKET_WAIT_S:
        answer = await one.ask_sales("state", "GET", f"/api/bookings/{one.booking}")
        word = answer.json()["state"] if answer.status == OK else ""
        if word == "paid":
            one.note("card to tickets", time.perf_counter() - started)
            return "bought"
        if word in ("cancelled", "expired"):
            return "card declined" if one.card == DECLINED_CARD else f"order {word}"
        await asyncio.sleep(STATE_POLL_S)
    return "WRONG: paid and no tickets"


def retry_after(answer: Answer, chance: random.Random) -> float:
    """Full jitter below what the service asks for, so that the refused do not come as one."""
    asked = float(answer.headers.get("retry-after", "2"))
    return chance.uniform(0.3, 1.0) * min(asked, RETRY_MAX_S)


def code_of(answer: Answer) -> str:
    try:
        body: Any = answer.json()
        return f"{answer.status} {body.get('code', '')}"
    except (msgspec.DecodeError, AttributeError):
        return str(answer.status)


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
