"""Cancelling at every step, from the page and by a program: the seats and the money go where they
should, at once where that is known, and in the end everywhere.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes import Refuse, Silent
from tests.flow.shop import BASE, Shop, open_shop
from tests.web.sales_site import SalesSite

# After this the gateway has said its last word about everything.
IN_THE_END_S = 40 * 60
Step = Callable[[Shop, int], Awaitable[int]]


async def choosing(shop: Shop, buyer: int) -> int:
    return (await shop.orders.open(buyer, shop.event_id, "web")).id


async def holding(shop: Shop, buyer: int) -> int:
    return (await shop.hold(0, 1, buyer=buyer)).id


async def hold_over(shop: Shop, buyer: int) -> int:
    order = await holding(shop, buyer)
    shop.clock.advance(700)
    return order


async def opening(shop: Shop, buyer: int) -> int:
    shop.gateway.plan("init", Silent(acted=False))
    shop.gateway.plan("check", *[Silent(acted=False)] * 3)
    return (await shop.placed(0, 1, buyer=buyer)).id


async def opened_in_silence(shop: Shop, buyer: int) -> int:
    shop.gateway.plan("init", Silent(acted=True))
    shop.gateway.plan("check", *[Silent(acted=False)] * 3)
    return (await shop.placed(0, 1, buyer=buyer)).id


async def at_the_gateway_s_page(shop: Shop, buyer: int) -> int:
    return (await shop.placed(0, 1, buyer=buyer)).id


async def card_in_work(shop: Shop, buyer: int) -> int:
    order = await at_the_gateway_s_page(shop, buyer)
    shop.gateway.pay("AUTHORIZING")
    shop.gateway.plan("cancel", Refuse("3409"))
    return order


async def money_reserved(shop: Shop, buyer: int) -> int:
    order = await at_the_gateway_s_page(shop, buyer)
    shop.gateway.pay()
    return order


async def being_taken(shop: Shop, buyer: int) -> int:
    order = await money_reserved(shop, buyer)
    shop.gateway.plan("confirm", *[Silent(acted=False)] * 4)
    await shop.payments.hurry(order)
    return order


async def paid(shop: Shop, buyer: int) -> int:
    order = await money_reserved(shop, buyer)
    await shop.payments.hurry(order)
    await shop.drain()
    return order


async def paid_and_too_late(shop: Shop, buyer: int) -> int:
    order = await paid(shop, buyer)
    await shop.db.execute("UPDATE ticket SET refund_until = now() - interval '1 minute'")
    return order


async def declined(shop: Shop, buyer: int) -> int:
    """Another card may be tried."""
    order = await at_the_gateway_s_page(shop, buyer)
    shop.gateway.pay("REJECTED")
    await shop.payments.hurry(order)
    return order


async def cancelled(shop: Shop, buyer: int) -> int:
    order = await holding(shop, buyer)
    await shop.orders.cancel(order, buyer)
    return order


async def expired(shop: Shop, buyer: int) -> int:
    order = await at_the_gateway_s_page(shop, buyer)
    await shop.later(IN_THE_END_S)
    return order


@dataclass
class Case:
    """What a program is answered; then, at once and in the end, the order's state, whether the
    seats are free, and what the gateway says of the payment.
    """

    step: Step
    answer: tuple[int, str | None]
    at_once: tuple[str, bool, str | None]
    in_the_end: tuple[str, bool, str | None]


FREE, TAKEN, OK = True, False, (200, None)
GONE = ("cancelled", FREE, None)
CASES = [
    Case(choosing, OK, GONE, GONE),
    Case(holding, OK, GONE, GONE),
    Case(hold_over, OK, GONE, GONE),
    Case(opening, OK, ("pending", TAKEN, None), GONE),
    Case(opened_in_silence, OK, *[("cancelled", FREE, "CANCELLED")] * 2),
    Case(at_the_gateway_s_page, OK, *[("cancelled", FREE, "CANCELLED")] * 2),
    Case(card_in_work, OK, ("pending", TAKEN, "AUTHORIZING"), ("cancelled", FREE, "CANCELLED")),
    Case(money_reserved, OK, *[("cancelled", FREE, "CANCELLED")] * 2),
    Case(
        being_taken,
        (419, "payment-under-way"),
        ("pending", TAKEN, "AUTHORIZED"),
        ("paid", TAKEN, "CONFIRMED"),
    ),
    Case(paid, OK, *[("refunded", FREE, "REFUNDED")] * 2),
    Case(paid_and_too_late, (419, "refund-too-late"), *[("paid", TAKEN, "CONFIRMED")] * 2),
    Case(declined, OK, *[("cancelled", FREE, "REJECTED")] * 2),
    Case(cancelled, OK, GONE, GONE),
    Case(expired, OK, *[("expired", FREE, "CANCELLED")] * 2),
]
# The page leads to the returns of a paid order instead of returning it.
PAGE_PAID = ((419, None), *[("paid", TAKEN, "CONFIRMED")] * 2)


@pytest.fixture
async def site(db, redis_shop, clock, tmp_path):
    # Whether tickets may be returned is decided by the database's own time.
    start = datetime.now(UTC) + timedelta(days=400)
    shop = await open_shop(db, redis_shop, clock, tmp_path, starts_at=start)
    made = SalesSite(shop, clock, tmp_path)
    await made.people()
    yield made
    made.passwords.close()


async def told(shop: Shop, order_id: int) -> tuple[str, bool, str | None]:
    """Order, seats, gateway. Redis and PostgreSQL agree about the seats."""
    order = await shop.orders.get(order_id)
    is_free = not await shop.claims()
    assert (set(await shop.seats()) <= {"F"}) == is_free
    booked = list(shop.gateway.books.values())
    return order.state, is_free, booked[-1].status if booked else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.step.__name__)
async def test_a_program_cancels(site, case):
    shop, buyer = site.shop, site.ids["bek"]
    order = await case.step(shop, buyer)
    async with site.program() as bek:
        for _ in range(2):
            answer = await bek.patch("/api/bookings/cancel", json={"booking_id": order})
            said: Any = answer.json().get("code") if answer.status_code != 200 else None
            assert (answer.status_code, said) == case.answer, answer.text
        await shop.drain()
        assert await told(shop, order) == case.at_once
        if case.step is card_in_work:
            shop.gateway.pay("AUTHORIZED")
        await shop.later(IN_THE_END_S)
    assert await told(shop, order) == case.in_the_end
    assert await shop.notices() == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.step.__name__)
async def test_a_person_cancels(site, case):
    shop, buyer = site.shop, site.ids["bek"]
    order = await case.step(shop, buyer)
    answer_to, at_once, in_the_end = case.answer, case.at_once, case.in_the_end
    if case.step in (paid, paid_and_too_late):
        answer_to, at_once, in_the_end = PAGE_PAID
    bek = await site.signed_in("bek")
    for _ in range(2):
        answer = await bek.submit(f"/orders/{order}/cancel")
        assert answer.status_code == (303 if answer_to == OK else answer_to[0]), answer.text
    await shop.drain()
    assert await told(shop, order) == at_once
    await bek.see(f"/orders/{order}")
    if case.step is card_in_work:
        shop.gateway.pay("AUTHORIZED")
    await shop.later(IN_THE_END_S)
    assert await told(shop, order) == in_the_end
    assert await shop.notices() == []


async def test_what_was_let_go_at_any_step_another_can_buy(site):
    shop, ermek = site.shop, site.ids["ermek"]
    for case in CASES:
        if not case.in_the_end[1]:
            continue
        order = await case.step(shop, site.ids["bek"])
        async with site.program() as bek:
            await bek.patch("/api/bookings/cancel", json={"booking_id": order})
        if case.step is card_in_work:
            shop.gateway.pay("REJECTED")
        await shop.later(IN_THE_END_S)
        taken = await shop.hold(0, 1, buyer=ermek)
        await shop.orders.place(taken.id, ermek, BASE)
        await shop.orders.cancel(taken.id, ermek)
        await shop.later(IN_THE_END_S)
