"""Whatever staff change stands in the audit: who did what, from which value, and on its page."""

from datetime import timedelta
from typing import Any

import pytest
from litestar.handlers import HTTPRouteHandler

from admin.web.routes import routes
from sales.payouts import Payouts
from sales.reconcile.found import Difference
from sales.reconcile.items import ReviewItems
from sales.reconcile.kinds import PAYMENT_STUCK
from tests.fakes import Refuse
from tests.flow.money import tickets_of
from tests.flow.shop import AHEAD, BEK, Shop, open_shop
from tests.halls import give_places
from tests.web.admin_site import OPS, Desk
from tests.web.test_admin_review import park

REASON = "артист болен"
# Of each way to change something: where it is written, the action, what the line tells of before
# and after, and words of the page. `{…}` are numbers of the stand.
DEEDS: list[tuple[str, dict[str, str], str, dict[str, Any], str]] = [
    (
        "/rooms/1/settings",
        {"ceiling": "50"},
        "room.configure",
        {"before": {"ceiling": 500}, "after": {"ceiling": 50}},
        "<s>500</s> → <b>50</b>",
    ),
    (
        "/rooms/1/door",
        {"lane_share": "30"},
        "room.configure",
        {"before": {"lane_share": 50}, "after": {"lane_share": 30}},
        "<s>50</s> → <b>30</b>",
    ),
    (
        "/rooms/1/restart",
        {"number": "1", "reason": REASON, "generation": "{generation}"},
        "room.restart",
        {"waiting": 0, "reason": REASON},
        "очередь начата заново",
    ),
    (
        "/review/{item}/close",
        {"note": "вернули сами"},
        "review.close",
        {"kind": PAYMENT_STUCK, "note": "вернули сами"},
        "вернули сами",
    ),
    (
        "/notices/{notice}/retry",
        {},
        "notice.retry",
        {"kind": "order.paid", "subject_id": 12},
        "уведомление возвращено в очередь",
    ),
    (
        "/notices/{notice}/close",
        {"note": "не нужно"},
        "notice.close",
        {"kind": "order.paid", "note": "не нужно"},
        "не нужно",
    ),
    (
        "/payouts/{part}/paid",
        {"reference": "KZ-17"},
        "refund.pay-out",
        {"was": "queued", "state": "paid_out", "reference": "KZ-17", "amount": 500_000},
        'href="/payouts/{part}"',
    ),
    (
        "/payouts/{whole}/again",
        {"version": "{version}"},
        "refund.ask-again",
        {"was": "queued", "state": "asked"},
        'href="/payouts/{whole}"',
    ),
    (
        "/events/{event}/allotments/1",
        {"version": "1", "places": "6", "deadline": "2189-01-01T12:00"},
        "allotment.change",
        {"zone": 1},
        "мест: <s>5</s> → <b>6</b>",
    ),
    (
        "/events/{event}/move",
        {"starts_at": "{moment}"},
        "event.move",
        {"before": AHEAD.isoformat()},
        "перенос",
    ),
    (
        "/events/{event}/cancel",
        {"number": "{event}", "reason": REASON},
        "event.cancel",
        {"reason": REASON},
        "отмена мероприятия",
    ),
    ("/events/{event}/again", {}, "event.refund-again", {}, "повтор неудавшихся возвратов"),
]
# Signing in is written too (test_admin); signing out changes nothing but one's own session.
OTHERS = {"/sign-in", "/sign-out"}


@pytest.fixture
async def shop(desk, db, redis_shop, clock, tmp_path) -> Shop:
    await db.execute("UPDATE account SET id = $1 WHERE email = 'bek@mail.kz'", BEK)
    made = await open_shop(db, redis_shop, clock, tmp_path, starts_at=AHEAD)
    await give_places(db, made.event_id, 1, 5)
    return made


async def numbers(desk: Desk, shop: Shop) -> dict[str, object]:
    """Something of everything that staff may do something about."""
    await ReviewItems(shop.db, shop.clock).report([Difference(PAYMENT_STUCK, "payment:5")])
    one, other = await shop.paid(0, 1), await shop.paid(3)
    part = await shop.refunds.ask(one.id, BEK, [(await tickets_of(shop, one))[0].id])
    shop.gateway.plan("cancel", Refuse("3100"))
    whole = await shop.refunds.ask(other.id, BEK)
    await shop.drain()
    return {
        "item": (await ReviewItems(shop.db, shop.clock).page())[0].id,
        "notice": await park(shop.db, shop.clock),
        "part": part.id,
        "whole": whole.id,
        "version": (await Payouts(shop.db, shop.clock).get(whole.id)).version,
        "event": shop.event_id,
        "moment": f"{shop.clock.now() + timedelta(days=30):%Y-%m-%dT%H:%M}",
        "generation": desk.rooms.snapshot(1).settings.generation,
    }


async def test_every_change_is_written_and_found_among_those_of_staff(desk, shop):
    known = await numbers(desk, shop)
    async with desk.operator() as browser:
        for address, form, action, told, words in DEEDS:
            path = address.format(**known)
            given = {name: text.format(**known) for name, text in form.items()}
            answer = await browser.post(path, data=given)
            assert answer.status_code == 303, (path, answer.text)
            if action == "notice.retry":
                known["notice"] = await park(shop.db, shop.clock)
            line = await shop.db.fetchrow("SELECT * FROM audit ORDER BY id DESC LIMIT 1")
            assert (line["action"], line["detail"]["by"]) == (action, OPS)
            assert line["actor"].startswith("account:")
            assert line["detail"] | told == line["detail"], path
            page = (await browser.get("/audit")).text
            assert page.count("<code>") == 0, "every deed has words"
            assert words.format(**known) in page, path
        assert "возврат отправлен" not in (await browser.get("/audit")).text
        assert "возврат отправлен" in (await browser.get("/audit?of=all")).text


def test_no_way_to_change_something_is_missing_above():
    posts = {
        path
        for route in routes()
        if isinstance(route, HTTPRouteHandler) and "POST" in route.http_methods
        for path in route.paths
    }
    shapes = {path: path.replace("{deed:str}", "*") for path in posts - OTHERS}
    covered = {"/".join(_shape(part) for part in address.split("/")) for address, *_ in DEEDS}
    for path, shape in shapes.items():
        plain = "/".join("#" if part.startswith("{") else part for part in shape.split("/"))
        head = plain.removesuffix("*")
        assert any(one == plain or (head != plain and one.startswith(head)) for one in covered), (
            path
        )


def _shape(part: str) -> str:
    return "#" if part.startswith("{") or part.isdecimal() else part
