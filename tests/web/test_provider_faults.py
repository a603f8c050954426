"""The partner's stand-in: every switch acts, and the switchboard as ToleuBar's has it."""

import re
import time

import httpx
import msgspec
import pytest

from sandbox.provider.faults import VERBS, Faults

pytestmark = pytest.mark.asyncio(loop_scope="module")

OFF = msgspec.json.decode(msgspec.json.encode(Faults()))


async def test_trouble_before_the_act_and_after_it(provider):
    hall = provider.hall()
    places = await hall.lay(1, 6)
    order = await hall.start()
    for place, switches, is_done in (
        (places[0], {"abort_before": 1}, False),
        (places[1], {"abort": 1}, True),
        (places[2], {"error": 1}, False),
        (places[3], {"error_after": 1}, True),
        (places[4], {"down": True}, False),
    ):
        await provider.faults(**switches, verbs=["select"])
        if switches.keys() & {"abort_before", "abort", "down"}:
            with pytest.raises(httpx.RemoteProtocolError):
                await hall.select(place, order)
        else:
            assert await hall.select(place, order) == 500
        (name,) = switches
        assert (await provider.http.get("/sandbox/faults/struck")).json() == {name: 1}
        # Other verbs go on, but where all is down.
        if name != "down":
            await hall.places()
        await provider.faults()
        assert (await hall.select(place, order) == 409) is is_done, switches


async def test_answers_that_never_come_in_time(provider):
    hall = provider.hall()
    held, slow, later = await hall.lay(1, 3)
    order = await hall.start()
    for place, name, is_done in ((held, "stall", True), (later, "stall_before", False)):
        await provider.faults(**{name: 1}, stall_s=0.1, verbs=["select"])
        path = f"/places/{place}/select"
        with pytest.raises(httpx.ReadTimeout):
            await hall.call("PATCH", path, json={"order_id": order}, timeout=0.05)
        places = (await provider.http.get(f"/sandbox/places?hall={hall.number}")).json()["places"]
        assert [one["order_id"] == order for one in places if one["id"] == place] == [is_done]
    await provider.faults(slow=1, slow_s=0.05)
    began = time.monotonic()
    assert await hall.select(slow, order) == 204
    assert time.monotonic() - began >= 0.05


async def test_trouble_concerns_only_the_halls_that_are_named(provider):
    hit, spared = provider.hall(), provider.hall()
    await provider.faults(down=True, halls=[hit.number])
    with pytest.raises(httpx.RemoteProtocolError):
        await hit.start()
    assert await spared.start()
    await provider.faults(poisoned=True, halls=[hit.number])
    for hall, joined in ((hit, 0), (spared, 1)):
        (place,) = await hall.lay(1, 1)
        order = await hall.start()
        await hall.select(place, order)
        for _ in range(20):
            provider.clock.advance(1)
            await hall.truth()
        assert (await hall.order(order))["places_count"] == joined


async def test_the_lag_is_what_is_asked(provider):
    hall = provider.hall()
    await provider.faults(lag_min_s=5, lag_max_s=5)
    order = await hall.start()
    for second in range(5):
        assert (await hall.call("GET", f"/orders/{order}")).status_code == 404, second
        provider.clock.advance(0.99)
    await hall.settle()
    assert (await hall.order(order))["status"] == "STARTED"


async def test_the_switchboard_is_read_written_patched_and_refuses_by_name(provider):
    http = provider.http
    assert (await http.get("/sandbox/faults")).json() == OFF
    await provider.faults(abort=0.5, verbs=["select"])
    patched = await http.patch("/sandbox/faults", json={"stall_s": 2})
    assert patched.json() == OFF | {"abort": 0.5, "verbs": ["select"], "stall_s": 2.0}
    named = (await http.get("/sandbox/faults/presets")).json()
    assert set(named) == {"calm", "faithful", "ten-percent-everything", "late", "down"}
    for preset, switches in named.items():
        await provider.faults(preset=preset)
        assert (await http.get("/sandbox/faults")).json() == OFF | switches
    await provider.faults()
    for written, name in (
        ({"abort": 2}, "abort"),
        ({"x": 1}, "x"),
        ({"preset": "kind"}, "preset"),
        ({"seed": -1}, "seed"),
        ({"verbs": ["buy"]}, "verbs"),
        ({"halls": [-1]}, "halls"),
        ({"lag_min_s": 9}, "lag_min_s"),
    ):
        for change in (http.put, http.patch):
            answer = await change("/sandbox/faults", json=written)
            assert (answer.status_code, answer.json()["code"]) == (400, "switches-refused")
            assert set(answer.json()["errors"]) == {name}
    for content in (b"[", b'{"x": ' + b"[" * 9_000):
        assert (await http.put("/sandbox/faults", content=content)).status_code == 400
    assert (await http.get("/sandbox/faults")).json() == OFF
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await http.put("/sandbox/faults", json={}, headers=headers)).status_code == 403


async def test_a_seed_brings_the_same_faults_again_whatever_else_is_on(provider):
    hall = provider.hall()

    async def run(**more: object) -> list[int]:
        await provider.faults(seed=7, error=0.3, **more)
        return [(await hall.call("GET", "/places")).status_code for _ in range(30)]

    first = await run()
    assert {200, 500} == set(first)
    assert await run() == first
    assert await run(slow=0.5, slow_s=0) == first


async def test_the_page_has_every_switch_and_changes_them(provider):
    http, hall = provider.http, provider.hall()
    await hall.lay(1, 3)
    assert (await http.get("/")).headers["location"] == "/sandbox"
    page = (await http.get("/sandbox")).text
    assert set(re.findall(r'<input name="(\w+)"', page)) == set(OFF)
    assert all(verb in page for verb in VERBS)
    form = {"abort": "0,25", "halls": f"{hall.number}, 7", "verbs": "select, submit", "down": "on"}
    changed = await http.post("/sandbox", data=form | {"seed": ""})
    assert (changed.status_code, changed.headers["location"]) == (303, "/sandbox")
    told = (await http.get("/sandbox/faults")).json()
    expected = {"abort": 0.25, "halls": [hall.number, 7], "verbs": ["select", "submit"]}
    assert told == OFF | expected | {"down": True}
    for wrong in ({"stall_s": "long"}, {"halls": "one"}, {"verbs": "buy"}, {"seed": "1.5"}):
        assert (await http.post("/sandbox", data=form | wrong)).status_code == 400
    await http.post("/sandbox", data={"preset": "faithful"})
    assert (await http.get("/sandbox/faults")).json()["event_rate"] == 100
    assert (await http.get("/sandbox/places?limit=x")).status_code == 400
    first = (await http.get(f"/sandbox/places?hall={hall.number}&limit=2")).json()
    rest = await http.get(f"/sandbox/places?hall={hall.number}&limit=2&after={first['next']}")
    assert (len(first["places"]), len(rest.json()["places"]), rest.json()["next"]) == (2, 1, None)
