"""The whole journey under Locust: visitor → room → hold → pay → tickets, arrivals open.

`locust -f loadtest/locustfile.py --headless --host http://127.0.0.1:8080 -u 1 -t 60s`
One Locust user is the stream of arrivals: it lets visitors in at JOURNEY_RATE a second whether or
not those before them are through, as people do (an open workload: a slow service gets a longer
queue, not fewer visitors). Every journey leaves a line in JOURNEY_LOG for loadtest.checker.

Environment: JOURNEY_RATE (5), JOURNEY_EVENT (1), JOURNEY_LOG (journeys.jsonl), JOURNEY_FIRST (0).
"""

import itertools
import json
import os
import random
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
from locust import FastHttpUser, constant, events, task
from requests.auth import _basic_auth_str

RATE = float(os.environ.get("JOURNEY_RATE", "5"))
EVENT = int(os.environ.get("JOURNEY_EVENT", "1"))
LOG = Path(os.environ.get("JOURNEY_LOG", "journeys.jsonl"))
FIRST = int(os.environ.get("JOURNEY_FIRST", "0"))
ACCOUNTS = 5_000
HIDDEN = re.compile(r'name="([^"]+)"[^>]*value="([^"]*)"')
CARD = {"CardNumber": "4111111111111111", "ExpiryDate": "12/39", "Cvv": "123"}
CARD |= {"CardholderName": "LOCUST VISITOR", "Email": "crowd@demo.biletter.kz"}
SEAT_TRIES = 8
TICKET_POLLS_MAX = 100
LOOPBACK = {"127.0.0.1", "localhost"}


class Broken(Exception):
    """The journey ended early."""


class Arrivals(FastHttpUser):
    """Not a visitor but the door through which they come."""

    wait_time = constant(0)
    concurrency = 2_000
    network_timeout = 30.0
    connection_timeout = 10.0

    def on_start(self) -> None:
        parts = urlsplit(self.host)
        if parts.hostname not in LOOPBACK:
            raise ValueError("load goes to this machine only")
        port = parts.port or 80
        self.room = f"http://{parts.hostname}:{port + 1}"
        self.index = itertools.count(FIRST)
        self.log = LOG.open("a", encoding="utf-8")

    @task
    def arrive(self) -> None:
        gevent.spawn(self.journey, next(self.index) % ACCOUNTS + 1)
        gevent.sleep(random.expovariate(RATE))

    def journey(self, account: int) -> None:
        record: dict[str, Any] = {"account": account, "outcome": "bought"}
        me = _basic_auth_str(f"crowd-{account:05d}@demo.biletter.kz", f"crowd-{account:05d}")
        started = time.perf_counter()
        failure: Exception | None = None
        try:
            pass_ = self.queue(me, record)
            self.buy({"Authorization": me, "X-Queue-Pass": pass_}, record)
        except Broken as broken:
            failure = broken
            record["outcome"] = str(broken)
        events.request.fire(  # type: ignore[no-untyped-call]  # locust
            request_type="journey",
            name="visitor to tickets",
            response_time=(time.perf_counter() - started) * 1e3,
            response_length=0,
            exception=failure,
        )
        self.log.write(json.dumps(record) + "\n")
        self.log.flush()

    def queue(self, me: str, record: dict[str, Any]) -> str:
        record["join_sent"] = time.time()
        joined = self.ask("POST", f"{self.room}/rooms/{EVENT}/entries", me, "join", (200, 201))
        record["join_done"] = time.time()
        record["number"] = joined.json()["number"]
        entry = f"Entry {joined.json()['entry']}"
        while True:
            place = self.ask("GET", f"{self.room}/rooms/{EVENT}/entries/me", entry, "place").json()
            if place["called"]:
                record.setdefault("called_at", time.time())
                path = f"{self.room}/rooms/{EVENT}/claims"
                claim = self.ask("POST", path, entry, "claim", (201, 409))
                if claim.status_code == 201:  # noqa: PLR2004  # the contract's status
                    record["claimed_at"] = time.time()
                    return str(claim.json()["pass"])
            gevent.sleep(place["poll_after_ms"] / 1e3)

    def buy(self, headers: dict[str, str], record: dict[str, Any]) -> None:
        booking = self.call("POST", "/api/bookings", headers, "book", {"event_id": EVENT}, (201,))
        record["booking"] = reference = booking.json()["id"]
        self.choose(headers, reference)
        body = {"booking_id": reference}
        path = "/api/bookings/initiatePayment"
        checkout = self.call("PATCH", path, headers, "checkout", body, (302,))
        form = checkout.headers["Location"]
        page = self.client.get(form, name="card form")
        gateway = urlsplit(form)
        submit = f"{gateway.scheme}://{gateway.netloc}/api/v1/paymentform/submit"
        fields = dict(HIDDEN.findall(page.text or "")) | CARD
        with self.client.post(
            submit, data=fields, name="card", allow_redirects=False, catch_response=True
        ) as answer:
            if answer.status_code in (302, 303):
                answer.success()
        for _ in range(TICKET_POLLS_MAX):
            path = f"/api/bookings/{reference}"
            state = self.call("GET", path, headers, "state").json()["state"]
            if state == "paid":
                return
            if state != "pending":
                raise Broken(f"order {state}")
            gevent.sleep(0.3)
        raise Broken("paid and no tickets")

    def choose(self, headers: dict[str, str], booking: int) -> None:
        for _ in range(SEAT_TRIES):
            page = random.randint(1, 20)
            path = f"/api/seats?event_id={EVENT}&status=FREE&page={page}"
            free = self.call("GET", path, headers, "seats").json()
            for seat in free[:2]:
                body = {"booking_id": booking, "seat_id": seat["id"]}
                path = "/api/seats/select"
                held = self.call("PATCH", path, headers, "hold", body, (200, 419))
                if held.status_code == 200:  # noqa: PLR2004  # the contract's status
                    return
        raise Broken("no seat")

    def call(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        name: str,
        json: object = None,
        good: tuple[int, ...] = (200,),
    ) -> Any:
        return self._send(method, path, headers, name, good, json)

    def ask(
        self, method: str, url: str, who: str, name: str, good: tuple[int, ...] = (200,)
    ) -> Any:
        return self._send(method, url, {"Authorization": who}, name, good, None)

    def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        name: str,
        good: tuple[int, ...],
        json: object,
    ) -> Any:
        with self.client.request(
            method,
            url,
            headers=headers,
            json=json,
            name=name,
            allow_redirects=False,
            catch_response=True,
        ) as answer:
            if answer.status_code not in good:
                answer.failure(f"{answer.status_code} {answer.text[:200]}")
                raise Broken(f"{name}: {answer.status_code}")
            answer.success()
        return answer
