"""What the gate knows of the room: its keys, its mode, and that it doesn't answer."""

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.gate_street import PAGE, Street, person, said
from tests.web.room_site import EVENT, Site


@pytest.fixture
async def street(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Street:
    street = Street(Site(redis_rooms, clock, tmp_path))
    await street.site.open(rate_per_minute=6000)
    return street


async def test_made_up_keys_are_no_flood_of_questions(street):
    gate, token = street.gate(), await street.new_pass()
    claims = jwt.decode(token, options={"verify_signature": False})
    own = Ed25519PrivateKey.generate()
    for number in range(20):
        head = {"kid": f"pass-{number}", "typ": "pass+jwt"}
        wrong = jwt.encode(claims, own, algorithm="EdDSA", headers=head)
        await person(gate).get("/concert", headers={"x-queue-pass": wrong})
    assert street.asked.count("/.well-known/jwks.json") == 1


async def test_a_new_key_is_learnt_and_a_dropped_one_forgotten(street):
    gate, old = street.gate(), await street.new_pass(account=1)
    assert (await person(gate).get("/concert", headers={"x-queue-pass": old})).text == "inside 1"
    street.site.keyring.rotate("pass")
    street.time_s += 6
    new = await street.new_pass(account=2)
    assert (await person(gate).get("/concert", headers={"x-queue-pass": new})).text == "inside 2"
    assert (await person(gate).get("/concert", headers={"x-queue-pass": old})).text == "inside 1"
    street.site.keyring.rotate("pass")
    street.time_s += 61
    await person(gate).get("/concert", headers={"x-queue-pass": new})  # asks in the background
    await street.later(0)
    answer = await person(gate).get("/concert", headers={"x-queue-pass": old})
    assert said(answer) == (403, "pass-forged")


async def test_a_room_that_is_off_lets_everybody_by_within_two_seconds(street):
    gate = street.gate()
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")
    await street.site.rooms.configure(EVENT, {"mode": "off"}, "Dana")
    await street.site.rooms.reader.refresh()
    await street.later(2.1, gate)
    assert (await person(gate).get("/concert")).text == "inside -"


async def test_with_the_room_away_passes_and_visits_go_on(street):
    gate, token = street.gate(), await street.new_pass(account=1)
    late = await street.new_pass(account=2)
    aru = person(gate)
    await aru.get("/concert", headers={"x-queue-pass": token})
    street.is_cut = True
    street.time_s += 600
    assert (await aru.get("/concert")).text == "inside 1"
    # Called before the room went away: the key is known.
    assert (await person(gate).get("/concert", headers={"x-queue-pass": late})).text == "inside 2"
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")


async def test_a_gate_that_never_reached_the_room_is_shut_and_says_that_the_place_is_kept(street):
    token = await street.new_pass()
    street.is_cut = True
    gate = street.gate()
    headers = {"x-queue-pass": token}
    assert said(await person(gate).get("/concert", headers=headers)) == (503, "room-away")
    page = await person(gate).get("/concert", headers=headers | PAGE)
    assert page.status_code == 503
    assert "Ваше место сохраняется" in page.text
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")
    street.is_cut = False
    street.time_s += 61
    assert (await person(gate).get("/concert", headers=headers)).text == "inside 1"


async def test_who_declares_it_opens_the_gate_while_the_room_is_away(street):
    gate = street.gate(when_away="open")
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")
    street.is_cut = True
    for _ in range(8):
        await street.later(2.1, gate)
    assert (await person(gate).get("/concert")).text == "inside -"
    street.is_cut = False
    await street.later(2.1, gate)
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")


async def test_with_given_keys_the_room_is_never_asked(street):
    keys = street.site.keyring.jwks("pass")
    gate, token = street.gate(keys=keys), await street.new_pass()
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")
    assert (await person(gate).get("/concert", headers={"x-queue-pass": token})).text == "inside 1"
    assert street.asked == []
