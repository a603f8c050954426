"""Buyers of unguarded events, as many at once as told: holds alone, and whole purchases."""

import asyncio
import time
from collections import Counter
from random import Random

from loadtest.figures import Figures
from loadtest.stand import Stand
from loadtest.visitor import (
    CREATED,
    FOUND,
    OK,
    SEAT_CONFLICT,
    TICKET_WAIT_S,
    Gone,
    Sites,
    Visit,
    code_of,
    demo_account,
    path_of,
    submit_card,
)
from loadtest.wire import Wire

SEATS_A_PURCHASE = 2
# The figure that the others are steps of.
WHOLE = "whole purchase"
PAGES = 8
PAGE_SIZE = 20
# A buyer looks for the tickets a moment after the card, and then ever more seldom; the order's own
# page (static/order.js) looks once a second.
LOOK_FIRST_S, LOOK_GROWTH, LOOK_MAX_S = 0.25, 1.5, 1.0


def sites_of(stand: Stand) -> Sites:
    return Sites(Wire(stand.base()), Wire(stand.base(1)), Wire(stand.base(3)))


async def cinemas(sites: Sites, star: int) -> list[int]:
    """Events other than the star concert with seats to sell."""
    found = []
    for page in range(1, PAGES + 1):
        answer = await sites.sales.request("GET", f"/api/events?page={page}&pageSize={PAGE_SIZE}")
        found += [event["id"] for event in answer.json() if event["id"] != star]
    return found


def buyer(sites: Sites, figures: Figures, index: int, event: int) -> Visit:
    email, password = demo_account(index + 1)
    return Visit(
        kind="buying",
        event=event,
        email=email,
        password=password,
        sites=sites,
        chance=Random(index),
        note=figures.note,
        seats_wanted=SEATS_A_PURCHASE,
    )


async def hold_seats(
    stand: Stand, figures: Figures, buyers: int, seconds: float
) -> tuple[int, float]:
    """Book, hold two seats, cancel, again. Returns seats held and seconds spent."""
    sites = sites_of(stand)
    events = await cinemas(sites, 1)
    stop_at, started = time.perf_counter() + seconds, time.perf_counter()

    async def one(index: int) -> int:
        held = 0
        while time.perf_counter() < stop_at:
            visit = buyer(sites, figures, index, events[index % len(events)])
            held += await hold(visit)
            body = {"booking_id": visit.booking}
            await visit.ask_sales("cancel", "PATCH", "/api/bookings/cancel", body)
        return held

    held = await asyncio.gather(*(one(index) for index in range(buyers)))
    return sum(held), time.perf_counter() - started


async def purchase_for(
    stand: Stand, figures: Figures, buyers: int, seconds: float, chance: Random
) -> tuple[list[int], Counter[str]]:
    """Whole purchases until time is up; tickets of each, and why others failed."""
    sites = sites_of(stand)
    events = await cinemas(sites, 1)
    bought: list[int] = []
    failed: Counter[str] = Counter()
    stop_at = time.perf_counter() + seconds

    async def one(index: int) -> None:
        turn = index
        while time.perf_counter() < stop_at:
            # Another account each time: events limit what one person may own.
            visit = buyer(sites, figures, turn % 5000, chance.choice(events))
            turn += buyers
            started = time.perf_counter()
            try:
                bought.append(await purchase(visit))
                figures.note(WHOLE, time.perf_counter() - started)
            except Gone as gone:
                failed[str(gone)] += 1

    await asyncio.gather(*(one(index) for index in range(buyers)))
    return bought, failed


async def hold(visit: Visit) -> int:
    """Open a booking and take the first free seats of this caller's list; how many."""
    answer = await visit.ask_sales("book", "POST", "/api/bookings", {"event_id": visit.event})
    if answer.status != CREATED:
        raise Gone(f"book: {code_of(answer)}")
    visit.booking = answer.json()["id"]
    path = f"/api/seats?event_id={visit.event}&status=FREE&pageSize=10"
    listed = await visit.ask_sales("seats", "GET", path)
    taken = 0
    for seat in listed.json():
        body = {"booking_id": visit.booking, "seat_id": seat["id"]}
        answer = await visit.ask_sales("hold", "PATCH", "/api/seats/select", body)
        if answer.status == OK:
            taken += 1
        elif answer.status != SEAT_CONFLICT:
            raise Gone(f"hold: {code_of(answer)}")
        if taken == visit.seats_wanted:
            break
    return taken


async def purchase(visit: Visit) -> int:
    """From an empty booking to tickets; how many."""
    taken = await hold(visit)
    if not taken:
        raise Gone("sold out")
    body = {"booking_id": visit.booking}
    answer = await visit.ask_sales("checkout", "PATCH", "/api/bookings/initiatePayment", body)
    if answer.status != FOUND:
        raise Gone(f"checkout: {code_of(answer)}")
    await submit_card(visit, path_of(answer.headers["location"]))
    await see_tickets(visit)
    return taken


async def see_tickets(visit: Visit) -> None:
    """Look at the booking until it is paid."""
    started, pause_s = time.perf_counter(), LOOK_FIRST_S
    while time.perf_counter() - started < TICKET_WAIT_S:
        await asyncio.sleep(pause_s)
        answer = await visit.ask_sales("state", "GET", f"/api/bookings/{visit.booking}")
        state = answer.json()["state"] if answer.status == OK else "pending"
        if state == "paid":
            visit.note("card to tickets", time.perf_counter() - started)
            return
        if state != "pending":
            raise Gone(f"order {state}")
        pause_s = min(LOOK_MAX_S, pause_s * LOOK_GROWTH)
    raise Gone("WRONG: paid and no tickets")
