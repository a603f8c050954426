"""Buying behind a waiting room: the pass, the visit, and the ways back to the queue."""

import pytest

from tests.flow.shop import open_shop
from tests.web.sales_site import SalesSite


@pytest.fixture
async def site(db, redis_shop, clock, tmp_path):
    shop = await open_shop(db, redis_shop, clock, tmp_path, guarded=True)
    made = SalesSite(shop, clock, tmp_path)
    await made.people()
    yield made
    made.passwords.close()


@pytest.fixture
async def bek(site):
    return await site.signed_in("bek")


async def test_a_pass_opens_the_visit_and_the_seats(site, bek):
    event_id = site.shop.event_id
    token = site.pass_for("bek", event_id)
    answer = await bek.post("/enter", data={"pass": token})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/events/{event_id}")
    assert "Вы внутри до" in (await bek.see(f"/events/{event_id}")).words
    page = await bek.see(f"/events/{event_id}/zones/1")
    assert len(page.seats("free")) == 7
    answer = await bek.submit(f"/events/{event_id}/holds", zone="1", seats="0")
    assert answer.headers["location"].startswith("/orders/")


async def test_programs_enter_in_json(site, bek):
    token = site.pass_for("bek", site.shop.event_id)
    answer = await bek.post("/enter", json={"pass": token}, headers={"accept": "*/*"})
    assert answer.status_code == 200
    assert answer.json()["event_id"] == site.shop.event_id
    assert f"biletter_pass_{site.shop.event_id}" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]


async def test_a_pass_is_redeemed_once(site, bek):
    token = site.pass_for("bek", site.shop.event_id)
    await bek.post("/enter", data={"pass": token})
    answer = await bek.post("/enter", json={"pass": token}, headers={"accept": "*/*"})
    assert (answer.status_code, answer.json()["code"]) == (409, "pass-used")


async def test_a_person_comes_back_into_the_visit_from_another_device(site, bek):
    event_id = site.shop.event_id
    token = site.pass_for("bek", event_id)
    await bek.post("/enter", data={"pass": token})
    phone = await site.signed_in("bek")
    answer = await phone.post("/enter", data={"pass": token})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/events/{event_id}")
    assert "Вы внутри до" in (await phone.see(f"/events/{event_id}")).words
    await bek.post("/leave", data={"event_id": str(event_id)})
    assert (await phone.post("/enter", data={"pass": token})).status_code == 409


async def test_a_visit_outlives_a_lost_cookie_and_the_life_of_its_pass(site, bek):
    event_id = site.shop.event_id
    token = site.pass_for("bek", event_id)
    await bek.post("/enter", data={"pass": token})
    site.clock.advance(200)
    phone = await site.signed_in("bek")
    assert "Вы внутри до" in (await phone.see(f"/events/{event_id}")).words
    answer = await phone.submit(f"/events/{event_id}/holds", zone="1", seats="0")
    assert answer.headers["location"].startswith("/orders/")
    assert (await phone.post("/enter", data={"pass": token})).status_code == 303
    await phone.post("/leave", data={"event_id": str(event_id)})
    assert "Встать в очередь" in (await bek.see(f"/events/{event_id}")).words


async def test_a_cookie_of_somebody_before_is_as_good_as_none(site, bek):
    event_id = site.shop.event_id
    await bek.post("/enter", data={"pass": site.pass_for("bek", event_id)})
    await bek.submit("/sign-out")
    await bek.submit("/sign-in", email="ermek@demo.biletter.kz", password="ermek-password")
    answer = await bek.submit(f"/events/{event_id}/holds", zone="1", seats="0")
    assert "/queue/" in answer.headers["location"]
    assert (await bek.post("/leave", data={"event_id": str(event_id)})).status_code == 303


async def test_a_foreign_or_forged_pass_opens_nothing(site, bek):
    event_id = site.shop.event_id
    for token, code in (
        (site.pass_for("ermek", event_id), "pass-foreign"),
        ("x.y.z", "pass-forged"),
    ):
        answer = await bek.post("/enter", json={"pass": token}, headers={"accept": "*/*"})
        assert (answer.status_code, answer.json()["code"]) == (403, code)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"pass": null}', b'{"pass": ""}', b"{}", b'{"x": "\xff"}', b"[" * 9_000]
)
async def test_a_body_without_a_pass_is_refused(site, bek, body):
    headers = {"content-type": "application/json", "accept": "*/*"}
    answer = await bek.post("/enter", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-body")
    answer = await bek.post("/leave", content=body, headers=headers)
    assert answer.status_code == 400


async def test_entering_leads_only_to_our_own_pages(site, bek):
    event_id = site.shop.event_id
    token = site.pass_for("bek", event_id)
    answer = await bek.post("/enter", data={"pass": token, "return_to": "https://evil.example/"})
    assert answer.headers["location"] == f"/events/{event_id}"
    token = site.pass_for("bek", event_id, jti="visit-2")
    place = f"http://localhost:18600/events/{event_id}/zones/2"
    answer = await bek.post("/enter", data={"pass": token, "return_to": place})
    assert answer.headers["location"] == place


async def test_without_a_pass_a_hold_leads_to_the_queue(site, bek):
    event_id = site.shop.event_id
    answer = await bek.submit(f"/events/{event_id}/holds", zone="1", seats="0")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"http://localhost:18601/queue/{event_id}?")


async def test_leaving_gives_the_place_back(site, bek):
    event_id = site.shop.event_id
    await bek.post("/enter", data={"pass": site.pass_for("bek", event_id)})
    answer = await bek.post("/leave", data={"event_id": str(event_id)})
    assert answer.headers["location"] == f"/events/{event_id}"
    await site.shop.drain()
    assert [one[0] for one in site.shop.rooms.told][-1] == "free"
    assert "Встать в очередь" in (await bek.see(f"/events/{event_id}")).words
    again = await bek.post("/leave", json={"event_id": event_id}, headers={"accept": "*/*"})
    assert again.json() == {"event_id": event_id, "left": False}


async def test_seats_taken_inside_are_paid_also_when_the_visit_is_over(site, bek):
    event_id = site.shop.event_id
    await bek.post("/enter", data={"pass": site.pass_for("bek", event_id)})
    site.clock.advance(800)
    answer = await bek.submit(f"/events/{event_id}/holds", zone="1", seats="0")
    order = answer.headers["location"]
    site.clock.advance(200)
    assert "Встать в очередь" in (await bek.see(f"/events/{event_id}")).words
    paying = await bek.submit(f"{order}/payment")
    assert paying.headers["location"].startswith("http://gateway/form/")


async def test_when_the_room_arms_a_browser_is_sent_to_the_queue(site, bek):
    event_id = site.shop.event_id
    site.shop.modes.armed[event_id] = site.clock.now()
    site.shop.desk.then = None
    answer = await bek.submit(f"/events/{event_id}/holds", zone="1", seats="0")
    assert answer.headers["location"].startswith(f"http://localhost:18601/queue/{event_id}?")
    assert "Встать в очередь" in (await bek.see(f"/events/{event_id}")).words
    assert site.shop.desk.asked == []


async def test_who_was_shopping_when_it_armed_takes_more_seats_and_pays(site, bek):
    event_id = site.shop.event_id
    site.shop.modes.off.add(event_id)
    answer = await bek.submit(f"/events/{event_id}/holds", zone="1", seats="0")
    order = answer.headers["location"]
    site.shop.modes.off.clear()
    site.clock.advance(1)
    site.shop.modes.armed[event_id] = site.clock.now()
    assert "Встать в очередь" not in (await bek.see(f"/events/{event_id}")).words
    answer = await bek.submit(f"/events/{event_id}/holds", zone="1", seats="1")
    assert answer.headers["location"] == order
    paying = await bek.submit(f"{order}/payment")
    assert paying.headers["location"].startswith("http://gateway/form/")
    ermek = await site.signed_in("ermek")
    assert "Встать в очередь" in (await ermek.see(f"/events/{event_id}")).words


async def test_pages_and_holds_are_counted(site, bek):
    event_id = site.shop.event_id
    await bek.see(f"/events/{event_id}")
    await bek.see(f"/events/{event_id}/zones/1")
    await bek.submit(f"/events/{event_id}/holds", zone="1", seats="0")
    assert site.shop.modes.counted == [event_id] * 3
