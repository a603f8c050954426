"""A buyer in the storm: loads again what did not come, and remembers which bookings are its own."""

import asyncio
import time
from collections import Counter
from random import Random
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import msgspec

from loadtest.visitor import DECLINED_CARD, GOOD_CARD, HIDDEN, Sites, code_of, path_of
from loadtest.wire import Answer, Wire, basic

# A page that did not come is loaded again, for so long altogether.
PATIENCE_S = 60.0
PAUSE_S = (0.2, 1.5)
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
ENDED = frozenset({"paid", "cancelled", "expired", "refunded"})
# Of those who get to the gateway: what they do there. The rest pays, and waits for the tickets.
WALKS_AWAY, CANCELS_THERE, BAD_CARD, RETURNS = 0.05, 0.08, 0.05, 0.15
CLICKS_TWICE, NAMES_WRITES = 0.1, 0.5
SEATS_WANTED = 2
CREATED, FOUND, OK, TAKEN = 201, 302, 200, 419


class Gave(Exception):
    """The buyer has had enough; the message is the outcome."""


class StormBuyer(msgspec.Struct, kw_only=True):
    sites: Sites
    email: str
    password: str
    event: int
    chance: Random
    tally: Counter[str]

    async def live(self) -> str:
        """One purchase, or what became of it in a word."""
        try:
            return await self._buy()
        except Gave as gave:
            return str(gave)

    async def end_all(self) -> list[str]:
        """Let go of every booking that is not final; the states of those left."""
        left = []
        for booking in await self._json("GET", "/api/bookings") or []:
            state = await self._state(booking["id"])
            if state not in ENDED:
                await self._ask("PATCH", "/api/bookings/cancel", {"booking_id": booking["id"]})
                state = await self._state(booking["id"])
            if state not in ENDED:
                left.append(state)
        return left

    async def _buy(self) -> str:
        booking = await self._book()
        if not await self._hold(booking):
            return "no seats"
        form = await self._check_out(booking)
        fate = self.chance.random()
        if fate < WALKS_AWAY:
            return "walked away"
        if fate < WALKS_AWAY + CANCELS_THERE:
            await self._ask("PATCH", "/api/bookings/cancel", {"booking_id": booking})
            return "cancelled at the form"
        await self._pay(form, DECLINED_CARD if fate > 1 - BAD_CARD else GOOD_CARD)
        state = await self._wait(booking)
        if state == "paid" and self.chance.random() < RETURNS:
            await self._ask("PATCH", "/api/bookings/cancel", {"booking_id": booking})
            return f"returned, {await self._state(booking)}"
        return state

    async def _book(self) -> int:
        answer = await self._ask("POST", "/api/bookings", {"event_id": self.event})
        if answer.status != CREATED:
            raise Gave(f"book: {code_of(answer)}")
        number: int = answer.json()["id"]
        return number

    async def _hold(self, booking: int) -> int:
        seats = await self._json("GET", f"/api/seats?event_id={self.event}&status=FREE&pageSize=20")
        held = 0
        for seat in seats or []:
            body = {"booking_id": booking, "seat_id": seat["id"]}
            held += (await self._ask("PATCH", "/api/seats/select", body)).status == OK
            if held == SEATS_WANTED:
                break
        return held

    async def _check_out(self, booking: int) -> str:
        """The path of the card form. While the gateway is silent there is none yet."""
        until = time.monotonic() + PATIENCE_S
        body = {"booking_id": booking}
        while time.monotonic() < until:
            clicks = 2 if self.chance.random() < CLICKS_TWICE else 1
            answers = await asyncio.gather(
                *(self._ask("PATCH", "/api/bookings/initiatePayment", body) for _ in range(clicks))
            )
            led = [answer for answer in answers if answer.status == FOUND]
            if led:
                return path_of(led[0].headers["location"])
            state = await self._state(booking)
            if state != "pending":
                raise Gave(f"checkout: {code_of(answers[0])}")
            await self._pause()
        raise Gave("no form in time")

    async def _pay(self, form: str, card: str) -> None:
        """As a browser would; a form whose answer got lost is posted again."""
        page = await self._ask("GET", form, at=self.sites.gateway)
        fields = {found["name"]: found["value"] for found in HIDDEN.finditer(page.body.decode())}
        fields |= {"CardNumber": card, "ExpiryDate": "12/39", "Cvv": "123"}
        fields |= {"CardholderName": "STORM", "Email": self.email}
        await self._ask("POST", "/api/v1/paymentform/submit", at=self.sites.gateway, form=fields)

    async def _wait(self, booking: int) -> str:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            state = await self._state(booking)
            if state in ENDED:
                return state
            await self._pause()
        return "paid, no tickets yet"

    async def _state(self, booking: int) -> str:
        told = await self._json("GET", f"/api/bookings/{booking}")
        return str(told["state"]) if told else "gone"

    async def _json(self, method: str, path: str) -> Any:
        answer = await self._ask(method, path)
        return answer.json() if answer.status == OK else None

    async def _ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        at: Wire | None = None,
        form: dict[str, str] | None = None,
    ) -> Answer:
        """The answer, however often it takes. Raises Gave. Half the buyers name their writes, so
        that what is repeated is done once; the others do as old clients do.
        """
        headers = {} if at else basic(self.email, self.password)
        if body is not None and not at and self.chance.random() < NAMES_WRITES:
            headers["Idempotency-Key"] = uuid4().hex
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                answer = await (at or self.sites.sales).request(
                    method,
                    path,
                    headers=headers,
                    json=body,
                    form=urlencode(form).encode() if form else None,
                )
            except (OSError, TimeoutError, EOFError, ValueError):
                self.tally["answers that never came"] += 1
            else:
                if answer.status not in AGAIN:
                    return answer
                self.tally[f"answers {answer.status}"] += 1
            await self._pause()
        raise Gave(f"no answer: {path.partition('?')[0]}")

    async def _pause(self) -> None:
        await asyncio.sleep(self.chance.uniform(*PAUSE_S))
