"""The switchboard: read, set, patched, seeded, counted; as JSON and as a page."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import msgspec
import pytest

from sandbox.toleubar.faults import Faults
from tests.web.toleubar_stand import (
    Gateway,
    open_gateway,
)

FORM = "/api/v1/paymentform"
Act = Callable[[], Awaitable[httpx.Response]]


@pytest.fixture
async def gateway(tmp_path, clock) -> AsyncIterator[Gateway]:
    async with open_gateway(tmp_path / "books.db", clock) as opened:
        yield opened


async def test_the_switchboard_is_read_and_written_as_a_whole(gateway):
    off = msgspec.to_builtins(Faults())
    assert (await gateway.http.get("/sandbox/faults")).json() == off
    await gateway.faults(webhook_loss=0.5, stall_s=2)
    changed = (await gateway.http.get("/sandbox/faults")).json()
    assert changed == off | {"webhook_loss": 0.5, "stall_s": 2.0}
    await gateway.faults()
    assert (await gateway.http.get("/sandbox/faults")).json() == off


async def test_a_switch_that_does_not_exist_is_refused_by_name(gateway):
    for written, name in (
        ({"webhook_loss": 2}, "webhook_loss"),
        ({"webhook_loss": "1"}, "webhook_loss"),
        ({"x": 1}, "x"),
        ({"profile": "kind"}, "profile"),
        ({"preset": "kind"}, "preset"),
        ({"seed": -1}, "seed"),
        ({"breakdown_burst": 0}, "breakdown_burst"),
        ({"card_delay_min_s": 9}, "card_delay_min_s"),
    ):
        for change in (gateway.http.put, gateway.http.patch):
            answer = await change("/sandbox/faults", json=written)
            refusal = answer.json()
            assert (answer.status_code, refusal["code"]) == (400, "switches-refused")
            assert set(refusal["errors"]) == {name}
    assert (await gateway.http.put("/sandbox/faults", content=b"[")).status_code == 400
    off = msgspec.to_builtins(Faults())
    assert (await gateway.http.get("/sandbox/faults")).json() == off


async def test_a_patch_changes_what_it_names_and_a_preset_everything(gateway):
    await gateway.faults(webhook_loss=0.5)
    await gateway.http.patch("/sandbox/faults", json={"stall_s": 2})
    faults = (await gateway.http.get("/sandbox/faults")).json()
    assert (faults["webhook_loss"], faults["stall_s"]) == (0.5, 2)
    await gateway.faults(preset="ten-percent-everything", stall_s=3)
    faults = (await gateway.http.get("/sandbox/faults")).json()
    shares = {"webhook_loss", "confirm_abort_before", "timeout", "card_trouble", "slow"}
    assert {faults[name] for name in shares} == {0.1}
    assert faults["stall_s"] == 3
    named = set((await gateway.http.get("/sandbox/faults/presets")).json())
    assert named == {"calm", "ten-percent-everything", "faithful", "down"}
    await gateway.faults(preset="down")
    with pytest.raises(httpx.RemoteProtocolError):
        await gateway.init()
    await gateway.faults(preset="calm")
    assert (await gateway.http.get("/sandbox/faults")).json() == msgspec.to_builtins(Faults())


async def test_a_seed_brings_the_same_faults_again_whatever_else_is_on(gateway):
    async def run(**more: object) -> list[int]:
        await gateway.faults(seed=7, breakdown=0.3, **more)
        return [(await gateway.check("1755600000")).status_code for _ in range(40)]

    first = await run()
    assert {404, 500} == set(first)
    assert await run() == first
    slowed = await run(slow=0.5)
    assert slowed == first
    struck = (await gateway.http.get("/sandbox/faults/struck")).json()
    assert struck["breakdown"] == first.count(500)
    assert 5 < struck["slow"] < 40
    assert await run() == first
    assert "slow" not in (await gateway.http.get("/sandbox/faults/struck")).json()


async def test_the_page_has_every_switch_and_changes_them(gateway):
    page = (await gateway.http.get("/sandbox")).text
    names = set(re.findall(r'<input name="(\w+)"', page)) | {"profile"}
    assert names == set(Faults.__struct_fields__)
    form = dict.fromkeys(names, "0") | {"profile": "documented", "webhook_loss": "0,25"}
    form |= {"seed": "", "breakdown_burst": "5"}
    del form["webhook_wait"]
    changed = await gateway.http.post("/sandbox", data=form | {"stall_s": "7"})
    assert (changed.status_code, changed.headers["location"]) == (303, "/sandbox")
    faults = (await gateway.http.get("/sandbox/faults")).json()
    assert (faults["webhook_loss"], faults["stall_s"], faults["webhook_wait"]) == (0.25, 7, False)
    assert faults["webhook_keep"] is True
    assert (faults["seed"], faults["breakdown_burst"]) == (None, 5)
    wrong = await gateway.http.post("/sandbox", data=form | {"stall_s": "long"})
    assert wrong.status_code == 400


async def test_a_preset_button_brings_the_presets_values(gateway):
    await gateway.http.post("/sandbox", data={"preset": "faithful"})
    faults = (await gateway.http.get("/sandbox/faults")).json()
    assert (faults["profile"], faults["card_delay_max_s"]) == ("faithful", 2.0)


async def test_switches_are_not_changed_by_a_page_of_another_site(gateway):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await gateway.http.put("/sandbox/faults", json={}, headers=headers)
        assert answer.status_code == 403
