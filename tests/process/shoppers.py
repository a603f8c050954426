"""People who buy from a real, running house, one ticket after the other, whatever happens to it."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.house import House

HIDDEN = re.compile(r'name="(?P<name>[^"]+)"[^>]*value="(?P<value>[^"]*)"')
CARD = {"CardNumber": "4111111111111111", "ExpiryDate": "12/39", "Cvv": "123"}
CARD |= {"CardholderName": "CROWD VISITOR", "Email": "crowd@demo.biletter.kz"}
STAR = 1
# Longer than any answer of ours may take while a store stands still.
TIMEOUT_S = 40.0
# Of the simulated crowd; other tests are about other numbers.
FIRST = 4800


class Shopper(threading.Thread):
    """`answers`: status and code of every answer of the shop; `slowest_s`: of them."""

    def __init__(self, house: House, number: int, stop: threading.Event) -> None:
        super().__init__(name=f"shopper-{number}")
        name = f"crowd-{FIRST + number:05d}"
        self._house, self._turn, self._halt = house, number, stop
        self.events: list[int] = []
        self._who = (f"{name}@demo.biletter.kz", name)
        self.answers: Counter[str] = Counter()
        self.slowest_s = 0.0
        self.without_retry_after = 0
        # Orders whose card was accepted by the gateway.
        self.paying: list[int] = []

    def run(self) -> None:
        with self.clients() as (shop, web):
            while not self._halt.is_set():
                placed = self.place(shop)
                if placed is not None:
                    self.submit(web, *placed)

    @contextmanager
    def clients(self) -> Iterator[tuple[httpx.Client, httpx.Client]]:
        """The shop's, signed in, and the gateway's."""
        address = self._house.address("sales")
        with (
            httpx.Client(base_url=address, auth=self._who, timeout=TIMEOUT_S) as shop,
            httpx.Client(timeout=TIMEOUT_S) as web,
        ):
            listed = shop.get("/api/events").json()
            self.events = [one["id"] for one in listed if one["id"] != STAR]
            yield shop, web

    def place(self, shop: httpx.Client) -> tuple[int, str] | None:
        """An order for the first free seat of the next event: its number, and the card's form."""
        self._turn += 1
        event = self.events[self._turn % len(self.events)]
        booked = self._ask(shop, "POST", "/api/bookings", {"event_id": event})
        if booked.status_code != httpx.codes.CREATED:
            return None
        booking = booked.json()["id"]
        where = f"/api/seats?event_id={event}&status=FREE&pageSize=1"
        seats = self._ask(shop, "GET", where)
        if seats.status_code != httpx.codes.OK or not seats.json():
            return None
        chosen = {"booking_id": booking, "seat_id": seats.json()[0]["id"]}
        if self._ask(shop, "PATCH", "/api/seats/select", chosen).status_code != httpx.codes.OK:
            return None
        paying = {"booking_id": booking}
        sent = self._ask(shop, "PATCH", "/api/bookings/initiatePayment", paying)
        return (booking, sent.headers["location"]) if sent.is_redirect else None

    def submit(self, web: httpx.Client, booking: int, form: str) -> None:
        fields = {m["name"]: m["value"] for m in HIDDEN.finditer(web.get(form).text)}
        gateway = self._house.address("toleubar")
        web.post(f"{gateway}/api/v1/paymentform/submit", data=fields | CARD)
        self.paying.append(booking)

    def _ask(
        self, shop: httpx.Client, method: str, path: str, body: dict[str, int] | None = None
    ) -> httpx.Response:
        started = time.monotonic()
        answer = shop.request(method, path, json=body)
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        code = (
            answer.json().get("code", "") if answer.status_code >= httpx.codes.BAD_REQUEST else ""
        )
        self.answers[f"{answer.status_code} {code}".strip()] += 1
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.without_retry_after += "retry-after" not in answer.headers
            self._halt.wait(0.2)
        return answer


@contextmanager
def shopping(house: House, count: int = 3) -> Iterator[list[Shopper]]:
    """So many shoppers buy until the end of the block."""
    stop = threading.Event()
    shoppers = [Shopper(house, number, stop) for number in range(count)]
    for one in shoppers:
        one.start()
    try:
        yield shoppers
    finally:
        stop.set()
        for one in shoppers:
            one.join(3 * TIMEOUT_S)
