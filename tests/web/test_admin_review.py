"""Staff pages about differences and notices set aside."""

import pytest

from sales.outbox import Draft, stage
from sales.reconcile.found import Difference
from sales.reconcile.items import ReviewItems
from sales.reconcile.kinds import KINDS, PAYMENT_STUCK, SEATS_REPAIRED, TICKETS_DIFFER
from tests.web.admin_site import OPS

JSON = {"accept": "application/json"}


@pytest.fixture
def items(db, clock):
    return ReviewItems(db, clock)


async def park(db, clock) -> int:
    async with db.acquire() as conn, conn.transaction():
        drafts = [Draft("order.paid", 12, {"seats": [1, 2], "note": "<b>"})]
        await stage(conn, clock.now(), drafts)
    return int(
        await db.fetchval(
            "UPDATE notice SET parked_at = now(), attempts = 3, last_error = 'Oops: <script>'"
            " RETURNING id"
        )
    )


@pytest.mark.parametrize("path", ["/review", "/review/1", "/notices", "/notices/1"])
async def test_it_is_for_staff_alone(desk, path):
    async with desk.browser() as browser:
        answer = await browser.get(path)
        assert answer.headers["location"].startswith("/sign-in?next=")
    async with desk.browser(headers=JSON) as browser:
        assert (await browser.get(path)).status_code == 401


@pytest.mark.parametrize("path", ["/review/1/close", "/notices/1/close", "/notices/1/retry"])
async def test_strangers_close_nothing(desk, path):
    async with desk.browser(headers=JSON) as browser:
        assert (await browser.post(path, data={"note": "просто так"})).status_code == 401


async def test_differences_are_listed_with_filters(desk, items):
    await items.report(
        [Difference(PAYMENT_STUCK, "payment:5"), Difference(TICKETS_DIFFER, "event:1")]
    )
    await items.tell_repaired([Difference(SEATS_REPAIRED, "event:3", {"seats": [7]})])
    async with desk.operator() as browser:
        page = (await browser.get("/review")).text
        assert "платёж 5" in page
        assert "мероприятие 1" in page
        assert "мероприятие 3" not in page
        page = (await browser.get(f"/review?kind={TICKETS_DIFFER}")).text
        assert "платёж 5" not in page
        page = (await browser.get("/review?of=closed")).text
        assert "мероприятие 3" in page
        assert "закрылось само" in page
        odd = await browser.get("/review?of=x&kind=%3Cscript%3E&below=0")
        assert odd.status_code == 200
        assert "<script>alert" not in odd.text


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
async def test_each_kind_says_what_to_do_in_each_language(desk, items, language):
    known = {"orders": [1, 2], "amount": 1_000_000}
    await items.report([Difference(kind, "event:1", known) for kind in KINDS])
    found = await items.page()
    assert {item.kind for item in found} == set(KINDS)
    async with desk.operator() as browser:
        for item in found:
            page = (await browser.get(f"/review/{item.id}?lang={language}")).text
            assert (KINDS[item.kind].todo in page) == (language == "ru"), item.kind
            assert "1, 2" in page, item.kind
            assert "10\u00a0000" in page, item.kind


async def test_a_difference_is_closed_with_a_note(desk, items, db):
    await items.report([Difference(PAYMENT_STUCK, "payment:5")])
    [item] = await items.page()
    async with desk.operator() as browser:
        answer = await browser.post(f"/review/{item.id}/close", data={"note": " "})
        assert answer.status_code == 422
        assert "от 3 до 500" in answer.text
        answer = await browser.post(f"/review/{item.id}/close", data={"note": "вернули <b>"})
        assert answer.headers["location"] == f"/review/{item.id}"
        page = (await browser.get(f"/review/{item.id}")).text
        assert "вернули &lt;b&gt;" in page
        assert 'name="note"' not in page
        again = await browser.post(f"/review/{item.id}/close", data={"note": "ещё раз"})
        assert again.status_code == 404
        assert (await browser.get("/review/99999999999999999999")).status_code in {400, 404}
    line = await db.fetchrow("SELECT detail FROM audit WHERE action = 'review.close'")
    assert (line["detail"]["by"], line["detail"]["note"]) == (OPS, "вернули <b>")


async def test_a_notice_set_aside_shows_all_that_is_known(desk, db, clock):
    notice_id = await park(db, clock)
    async with desk.operator() as browser:
        page = (await browser.get("/notices")).text
        assert "показать места проданными" in page
        assert "Oops: &lt;script&gt;" in page
        page = (await browser.get(f"/notices/{notice_id}")).text
        assert "order.paid" in page
        assert "[1, 2]" in page
        assert "<b>" not in page.partition("<main")[2].partition("<code>")[2]


async def test_staff_put_it_back_or_close_it(desk, db, clock):
    notice_id = await park(db, clock)
    async with desk.operator() as browser:
        answer = await browser.post(f"/notices/{notice_id}/retry")
        assert answer.headers["location"] == "/notices?done=retry"
        assert (await browser.post(f"/notices/{notice_id}/retry")).status_code == 404
        assert await db.fetchval("SELECT parked_at IS NULL FROM notice")
        await db.execute("UPDATE notice SET parked_at = now()")
        wrong = await browser.post(f"/notices/{notice_id}/close", data={"note": ""})
        assert wrong.status_code == 422
        answer = await browser.post(f"/notices/{notice_id}/close", data={"note": "сделано"})
        assert answer.headers["location"] == "/notices?done=close"
        assert "Ничего не отложено" in (await browser.get("/notices")).text
        assert (await browser.post(f"/notices/{notice_id}/explode")).status_code == 400
    assert await db.fetchval("SELECT count(*) FROM notice") == 0
    rows = await db.fetch("SELECT action FROM audit WHERE action LIKE 'notice.%' ORDER BY id")
    assert [row["action"] for row in rows] == ["notice.retry", "notice.close"]


async def test_long_lists_are_leafed_through(desk, items):
    await items.report([Difference(PAYMENT_STUCK, f"payment:{n}") for n in range(60)])
    async with desk.operator() as browser:
        first = (await browser.get("/review")).text
        assert "платёж 59<" in first
        assert "платёж 9<" not in first
        below = first.partition("below=")[2].partition('"')[0]
        second = (await browser.get(f"/review?below={below}")).text
        assert "платёж 9<" in second
