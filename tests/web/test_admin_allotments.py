"""The page of allotments: what staff and the hall's owner see, and what changes are refused."""

import csv
import io

import pytest

from tests.flow.shop import AHEAD, ERMEK, Shop, open_shop
from tests.halls import give_places
from tests.web.admin_site import BEK, PASSWORD

GOOD = {"version": "1", "places": "5", "deadline": "2189-12-01T12:00"}


@pytest.fixture
async def shop(desk, db, redis_shop, clock, tmp_path) -> Shop:
    """Any five of the stalls, two seats of the balcony; three are sold, one is being paid."""
    made = await open_shop(db, redis_shop, clock, tmp_path, starts_at=AHEAD, ownership="allotment")
    await give_places(db, made.event_id, 1, 5)
    await give_places(db, made.event_id, 2, seats=[8, 9])
    await made.paid(0, 2, 3)
    await made.placed(1, buyer=ERMEK)
    return made


async def test_the_page_tells_what_is_sold_and_the_owner_gets_it_as_a_table(desk, shop):
    base = f"/events/{shop.event_id}/allotments"
    async with desk.operator() as browser:
        assert f'href="{base}"' in (await browser.get(f"/events/{shop.event_id}")).text
        page = (await browser.get(base)).text
        for words in ("<small>из 7</small>", "по списку", "15\u00a0000\u00a0₸", "1, 3"):
            assert words in page, words
        told = (await browser.get(f"{base}.json")).json()
        stalls, balcony = told["zones"]
        assert (stalls["sold"], stalls["paying"], stalls["left"]) == (3, 1, 1)
        assert stalls["rows"] == [
            {"row": 1, "seats": [1, 3], "revenue": "10000.00"},
            {"row": 2, "seats": [1], "revenue": "5000.00"},
        ]
        assert (balcony["sold"], balcony["rows"], balcony["final"]) == (0, [], None)
        sheet = await browser.get(f"{base}.csv")
        assert "attachment" in sheet.headers["content-disposition"]
        lines = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
        assert [(one["zone_no"], one["row"], one["seats"], one["sold"]) for one in lines] == [
            ("1", "1", "1 3", "2"),
            ("1", "2", "1", "1"),
            ("2", "", "", "0"),
        ]
        # When it is over, the page and the table tell what was reported.
        await shop.db.execute("UPDATE allotment SET state = 'closed' WHERE zone_no = 1")
        await shop.db.execute(
            "INSERT INTO allotment_report VALUES ($1, 1, 5, 4, 1, 2000000, now(), now(),"
            """ '[{"row": 7, "seats": [9], "revenue": 2000000}]')""",
            shop.event_id,
        )
        page = (await browser.get(base)).text
        assert "Отчёт владельцу" in page
        assert "20\u00a0000\u00a0₸" in page
        assert "покупатели вернули мест: 1" in page
        told = (await browser.get(f"{base}.json")).json()
        assert told["zones"][0]["final"]["rows"] == [
            {"row": 7, "seats": [9], "revenue": "20000.00"}
        ]
        assert ",7,9,1,20000.00" in (await browser.get(f"{base}.csv")).text


async def test_what_cannot_be_is_refused_beside_its_field_and_to_programs_by_a_code(desk, shop):
    base = f"/events/{shop.event_id}/allotments"
    async with desk.operator() as browser:
        for zone, wanted, status, code in (
            (1, {"places": "3"}, 422, "allotment-below-sold"),
            (1, {"places": "8"}, 422, "allotment-beyond-zone"),
            (1, {"places": "много"}, 422, "bad-places"),
            (1, {"deadline": "2191-01-01T12:00"}, 422, "bad-deadline"),
            (1, {"deadline": "завтра"}, 422, "bad-deadline"),
            (1, {"version": "9"}, 409, "allotment-changed"),
            (2, {"places": "3"}, 422, "allotment-listed"),
            (3, {}, 404, "allotment-unknown"),
        ):
            path, form = f"{base}/{zone}", GOOD | wanted
            answer = await browser.post(path, data=form)
            assert answer.status_code == status, (wanted, answer.text)
            assert ("aria-invalid" in answer.text) is (status == 422), wanted
            told = await browser.post(path, data=form, headers={"accept": "application/json"})
            assert told.json()["error"] == code
        await shop.db.execute("UPDATE allotment SET state = 'closing' WHERE zone_no = 1")
        late = await browser.post(f"{base}/1", data=GOOD)
        assert (late.status_code, "Срок этой квоты вышел" in late.text) == (409, True)
        assert 'name="places"' not in late.text.split('id="zone-2"')[0]
    assert await shop.db.fetchval("SELECT sum(version) FROM allotment") == 2


async def test_what_did_not_change_is_not_told_as_a_change(desk, shop):
    base = f"/events/{shop.event_id}/allotments"
    async with desk.operator() as browser:
        for version, places in (("1", "6"), ("2", "6"), ("2", "5")):
            form = GOOD | {"version": version, "places": places}
            assert (await browser.post(f"{base}/1", data=form)).status_code == 303
        page = (await browser.get(base)).text
    assert page.count("квота изменена") == 2
    assert page.count("мест: <s>") == 2
    assert page.count("срок: <s>") == 1


async def test_a_buyer_sees_nothing_of_it(desk, shop):
    base = f"/events/{shop.event_id}/allotments"
    async with desk.browser() as browser:
        await browser.post("/sign-in", data={"email": BEK, "password": PASSWORD})
        for path in (base, f"{base}.csv", f"{base}.json"):
            answer = await browser.get(path)
            assert answer.status_code in (303, 401, 403), path
        assert (await browser.post(f"{base}/1", data=GOOD)).status_code in (303, 401, 403)
    assert await shop.db.fetchval("SELECT sum(version) FROM allotment") == 2
