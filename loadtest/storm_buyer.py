"""A buyer in the storm: through the line or straight to the seats, the card form, the tickets, and
sometimes back again.
"""

import asyncio
import re
import time

from loadtest.storm_caller import OK, SEE_OTHER, Caller, Gave
from loadtest.visitor import DECLINED_CARD, GOOD_CARD, HIDDEN, code_of, path_of

ENDED = frozenset({"paid", "cancelled", "expired", "refunded"})
# Of those who get to the gateway: what they do there. The rest pays, and waits for the tickets.
WALKS_AWAY, CANCELS_THERE, BAD_CARD = 0.04, 0.06, 0.05
# Of those who have tickets.
RETURNS_ALL, RETURNS_ONE = 0.12, 0.12
SIGNS_IN, CLICKS_TWICE, CLOSES_BROWSER = 0.75, 0.1, 0.2
SEATS_WANTED = 2
PAGES, PAGE_SIZE = 3, 20
LINE_S = 120.0
TICKET = re.compile(r'name="tickets" value="(?P<id>\d+)"')
CREATED, FOUND = 201, 302


class StormBuyer(Caller):
    event: int
    is_guarded: bool = False

    async def live(self) -> str:
        """One purchase, or what became of it in a word."""
        try:
            if self.chance.random() < SIGNS_IN:
                await self.sign_in()
            if self.is_guarded:
                self.pass_ = await self._queue()
            return await self._buy()
        except Gave as gave:
            return str(gave)

    async def end_all(self) -> list[str]:
        """Let go of every booking that is not final; the states of those left. Raises Gave."""
        left = []
        for booking in await self.read("/api/bookings") or []:
            state = await self._state(booking["id"])
            if state not in ENDED:
                await self.ask("PATCH", "/api/bookings/cancel", {"booking_id": booking["id"]})
                state = await self._state(booking["id"])
            if state not in ENDED:
                left.append(state)
        return left

    async def _queue(self) -> str:
        """The pass. A place that a dead Redis has lost is taken again."""
        room, rooms = self.sites.room, f"/rooms/{self.event}"
        until, place = min(self.until, time.monotonic() + LINE_S), await self._join()
        while time.monotonic() < until:
            told = await self.ask("GET", f"{rooms}/entries/me", at=room, headers=place)
            if told.status != OK:
                place = await self._join()
            elif told.json()["called"]:
                claimed = await self.ask("POST", f"{rooms}/claims", at=room, headers=place)
                if claimed.status == CREATED:
                    return str(claimed.json()["pass"])
            pause_ms = told.json()["poll_after_ms"] if told.status == OK else 1_000
            await asyncio.sleep(pause_ms / 1000)
        raise Gave("still in line")

    async def _join(self) -> dict[str, str]:
        path, who = f"/rooms/{self.event}/entries", self.headers(None)
        joined = await self.ask("POST", path, at=self.sites.room, headers=who)
        if joined.status not in (OK, CREATED):
            raise Gave(f"join: {code_of(joined)}")
        return {"Authorization": f"Entry {joined.json()['entry']}"}

    async def _buy(self) -> str:
        booking = await self._book()
        if not await self._hold(booking):
            return "no seats"
        form = await self._check_out(booking)
        fate = self.chance.random()
        if fate < WALKS_AWAY:
            return "walked away"
        if fate < WALKS_AWAY + CANCELS_THERE:
            await self.ask("PATCH", "/api/bookings/cancel", {"booking_id": booking})
            return f"cancelled at the form, {await self._state(booking)}"
        await self._pay(form, DECLINED_CARD if fate > 1 - BAD_CARD else GOOD_CARD)
        state = await self._wait(booking)
        return await self._give_back(booking) if state == "paid" else state

    async def _book(self) -> int:
        answer = await self.ask("POST", "/api/bookings", {"event_id": self.event})
        if answer.status != CREATED:
            raise Gave(f"book: {code_of(answer)}")
        number: int = answer.json()["id"]
        return number

    async def _hold(self, booking: int) -> int:
        wanted = f"/api/seats?event_id={self.event}&status=FREE&pageSize={PAGE_SIZE}"
        page = await self.read(f"{wanted}&page={self.chance.randint(1, PAGES)}")
        seats = page or await self.read(wanted) or []
        self.chance.shuffle(seats)
        held = 0
        for seat in seats:
            body = {"booking_id": booking, "seat_id": seat["id"]}
            held += (await self.ask("PATCH", "/api/seats/select", body)).status == OK
            if held == SEATS_WANTED:
                break
        return held

    async def _check_out(self, booking: int) -> str:
        """The path of the card form. While the gateway is silent there is none yet."""
        until, body = self.patience(), {"booking_id": booking}
        while time.monotonic() < until:
            clicks = 2 if self.chance.random() < CLICKS_TWICE else 1
            answers = await asyncio.gather(
                *(self.ask("PATCH", "/api/bookings/initiatePayment", body) for _ in range(clicks))
            )
            led = [answer for answer in answers if answer.status == FOUND]
            if led:
                return path_of(led[0].headers["location"])
            state = await self._state(booking)
            if state != "pending":
                raise Gave(f"checkout: {code_of(answers[0])}")
            await self.pause()
        raise Gave("no form in time")

    async def _pay(self, form: str, card: str) -> None:
        """As a browser would: a form whose answer got lost is posted again, and it goes where it is
        sent. Some close it there.
        """
        page = await self.ask("GET", form, at=self.sites.gateway)
        fields = {found["name"]: found["value"] for found in HIDDEN.finditer(page.body.decode())}
        fields |= {"CardNumber": card, "ExpiryDate": "12/39", "Cvv": "123"}
        fields |= {"CardholderName": "STORM", "Email": self.email}
        submit = "/api/v1/paymentform/submit"
        answer = await self.ask("POST", submit, at=self.sites.gateway, form=fields)
        back = answer.headers.get("location", "")
        if back.startswith(self.sites.sales.base) and self.chance.random() > CLOSES_BROWSER:
            await self.ask("GET", path_of(back))

    async def _wait(self, booking: int) -> str:
        until = self.patience()
        while time.monotonic() < until:
            state = await self._state(booking)
            if state in ENDED:
                return state
            await self.pause()
        return "card posted, no tickets yet"

    async def _give_back(self, booking: int) -> str:
        fate = self.chance.random()
        if fate < RETURNS_ALL:
            await self.ask("PATCH", "/api/bookings/cancel", {"booking_id": booking})
            return f"paid, then returned: {await self._state(booking)}"
        if fate < RETURNS_ALL + RETURNS_ONE:
            return f"paid, then one ticket back: {await self._return_one(booking)}"
        return "paid"

    async def _return_one(self, booking: int) -> str:
        """As a person does it, on the pages."""
        cookie = {"Cookie": await self.sign_in()}
        path = f"/orders/{booking}/returns"
        page = await self.ask("GET", path, headers=cookie)
        tickets = TICKET.findall(page.body.decode())
        if not tickets:
            return f"none offered, {await self._state(booking)}"
        done = await self.ask("POST", path, form={"tickets": tickets[0]}, headers=cookie)
        return "done" if done.status == SEE_OTHER else code_of(done)

    async def _state(self, booking: int) -> str:
        told = await self.read(f"/api/bookings/{booking}")
        return str(told["state"]) if told else "gone"
