"""A pass opens one visit of one visitor to one event, and everything else about it is refused."""

import asyncio
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kernel.keyring import Keyring
from kernel.subjects import subject_of
from sales.admission import (
    AdmissionOver,
    PassExpired,
    PassForeign,
    PassForged,
    PassNeeded,
    PassUsed,
    PassWrongEvent,
)
from sales.catalogue import EventUnknown
from tests.flow.shop import BASE, BEK, ERMEK, Shop, Visitor, open_shop

LEASE_S, PASS_S = 900, 180


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path):
    return await open_shop(db, redis_shop, clock, tmp_path, guarded=True)


def claims_of(shop: Shop, account: int = BEK, **changes: Any) -> dict[str, Any]:
    now_s = shop.clock.ms() // 1000
    return {
        "iss": "biletter-room",
        "aud": str(shop.event_id),
        "sub": subject_of(shop.keyring.secret("subject"), "account", account),
        "jti": "jti-1",
        "iat": now_s,
        "nbf": now_s - 5,
        "exp": now_s + PASS_S,
        "gen": 1,
        "num": 7,
        "lease": now_s + LEASE_S,
        **changes,
    }


def pass_for(shop: Shop, account: int = BEK, **changes: Any) -> str:
    return shop.keyring.sign("pass", claims_of(shop, account, **changes), typ="pass+jwt")


async def test_without_a_pass_the_queue_is_shown(shop):
    with pytest.raises(PassNeeded) as needed:
        await shop.admissions.require(shop.event_id, Visitor(BEK), None)
    assert needed.value.status == 429
    assert "Retry-After" in needed.value.headers


async def test_an_event_whose_room_is_off_asks_for_none(shop):
    shop.modes.off.add(shop.event_id)
    assert await shop.admissions.require(shop.event_id, Visitor(BEK), None) is None


async def test_an_unguarded_event_asks_for_none(db, redis_shop, clock, tmp_path):
    shop = await open_shop(db, redis_shop, clock, tmp_path)
    assert await shop.admissions.require(shop.event_id, Visitor(None), "nonsense") is None


async def test_an_event_that_is_not_there_is_unknown(shop):
    with pytest.raises(EventUnknown):
        await shop.admissions.require(2**53, Visitor(BEK), None)


async def test_entering_opens_the_visit_and_tells_the_room(shop):
    token = pass_for(shop)
    visit = await shop.admissions.enter(token, Visitor(BEK))
    assert visit.lease_until - shop.clock.now() == timedelta(seconds=LEASE_S)
    assert await shop.admissions.require(shop.event_id, Visitor(BEK), token) == visit
    await shop.drain()
    assert [(verb, event) for verb, event, _ in shop.rooms.told] == [("keep", shop.event_id)]


async def test_a_pass_is_entered_with_once(shop):
    token = pass_for(shop)
    await shop.admissions.enter(token, Visitor(BEK))
    with pytest.raises(PassUsed):
        await shop.admissions.enter(token, Visitor(BEK))


async def test_twenty_first_uses_at_once_open_one_visit(shop):
    token = pass_for(shop)
    visits = await asyncio.gather(
        *(shop.admissions.require(shop.event_id, Visitor(BEK), token) for _ in range(20))
    )
    assert len({visit.jti for visit in visits}) == 1
    assert await shop.db.fetchval("SELECT count(*) FROM notice") == 1


async def test_a_redeemed_pass_works_beyond_its_own_end_as_long_as_the_visit(shop):
    token = pass_for(shop)
    await shop.admissions.enter(token, Visitor(BEK))
    shop.clock.advance(PASS_S + 60)
    await shop.admissions.require(shop.event_id, Visitor(BEK), token)
    shop.clock.advance(LEASE_S)
    with pytest.raises(AdmissionOver):
        await shop.admissions.require(shop.event_id, Visitor(BEK), token)


async def test_a_pass_not_redeemed_in_time_is_expired(shop):
    token = pass_for(shop)
    shop.clock.advance(PASS_S)
    with pytest.raises(PassExpired):
        await shop.admissions.enter(token, Visitor(BEK))
    with pytest.raises(PassExpired):
        await shop.admissions.require(shop.event_id, Visitor(BEK), token)


async def test_a_pass_of_another_account_or_device_is_foreign(shop):
    for visitor in (Visitor(ERMEK), Visitor(None), Visitor(ERMEK, device="another")):
        with pytest.raises(PassForeign):
            await shop.admissions.enter(pass_for(shop), visitor)


async def test_a_pass_may_be_the_devices(shop):
    device = subject_of(shop.keyring.secret("subject"), "device", "a-device")
    token = pass_for(shop, sub=device)
    assert await shop.admissions.require(shop.event_id, Visitor(None), token)
    with pytest.raises(PassForeign):
        await shop.admissions.require(shop.event_id, Visitor(BEK, device="another"), token)


async def test_a_pass_of_another_event_is_not_for_this_one(shop):
    with pytest.raises(PassWrongEvent):
        await shop.admissions.require(shop.event_id, Visitor(BEK), pass_for(shop, aud="77"))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"aud": "x"},
        {"aud": "-1"},
        {"aud": "9" * 30},
        {"aud": ["1"]},
        {"jti": ""},
        {"jti": "j" * 65},
        {"jti": 7},
        {"lease": None},
        {"exp": "soon"},
        {"nbf": 9_999_999_999},
    ],
)
async def test_a_pass_with_odd_claims_is_forged(shop, change):
    with pytest.raises(PassForged):
        await shop.admissions.enter(pass_for(shop, **change), Visitor(BEK))
    assert await shop.db.fetchval("SELECT count(*) FROM admission") == 0


async def test_a_pass_by_another_key_purpose_type_or_algorithm_is_forged(shop, tmp_path):
    claims = claims_of(shop)
    kid = shop.keyring.jwks("pass")["keys"][0]["kid"]
    headers = {"kid": kid, "typ": "pass+jwt"}
    stranger = Keyring(tmp_path / "other")
    good = pass_for(shop)
    forged = [
        stranger.sign("pass", claims, typ="pass+jwt"),
        shop.keyring.sign("ticket", claims, typ="pass+jwt"),
        shop.keyring.sign("pass", claims, typ="ticket+jwt"),
        jwt.encode(claims, "s" * 32, algorithm="HS256", headers=headers),
        jwt.encode(claims, "", algorithm="none", headers=headers),
        jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=headers),
        good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
        good.rpartition(".")[0] + ".",
        "nonsense",
        "a.b.c",
        "é",
        "x" * 100_000,
    ]
    for token in forged:
        with pytest.raises(PassForged):
            await shop.admissions.require(shop.event_id, Visitor(BEK), token)


async def test_after_the_purchase_the_visit_is_over_and_the_place_is_free(shop):
    token = pass_for(shop)
    visit = await shop.admissions.enter(token, Visitor(BEK))
    order = await shop.orders.open(BEK, shop.event_id, "web", visit.jti)
    await shop.holds.hold(shop.event_id, order.id, BEK, [0])
    await shop.orders.place(order.id, BEK, BASE)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.drain()
    with pytest.raises(AdmissionOver):
        await shop.admissions.require(shop.event_id, Visitor(BEK), token)
    assert [verb for verb, _, _ in shop.rooms.told] == ["keep", "free"]


async def test_after_an_order_that_ended_unpaid_there_are_two_minutes_more(shop):
    token = pass_for(shop)
    visit = await shop.admissions.enter(token, Visitor(BEK))
    order = await shop.orders.open(BEK, shop.event_id, "web", visit.jti)
    await shop.orders.cancel(order.id, BEK)
    await shop.drain()
    shop.clock.advance(119)
    await shop.admissions.require(shop.event_id, Visitor(BEK), token)
    # A new hold makes it longer again, as far as the lease goes.
    await shop.admissions.keep(shop.event_id, visit.jti, shop.clock.now() + timedelta(seconds=600))
    shop.clock.advance(500)
    await shop.admissions.require(shop.event_id, Visitor(BEK), token)
    shop.clock.advance(101)
    with pytest.raises(AdmissionOver):
        await shop.admissions.require(shop.event_id, Visitor(BEK), token)


async def test_a_visit_never_outlives_the_rooms_lease(shop):
    token = pass_for(shop)
    visit = await shop.admissions.enter(token, Visitor(BEK))
    await shop.admissions.keep(shop.event_id, visit.jti, shop.clock.now() + timedelta(days=1))
    shop.clock.advance(LEASE_S)
    with pytest.raises(AdmissionOver):
        await shop.admissions.require(shop.event_id, Visitor(BEK), token)


async def test_a_visit_that_is_over_is_not_made_longer(shop):
    token = pass_for(shop)
    visit = await shop.admissions.enter(token, Visitor(BEK))
    await shop.admissions.shorten(shop.event_id, visit.jti)
    shop.clock.advance(121)
    await shop.admissions.keep(shop.event_id, visit.jti, visit.lease_until)
    with pytest.raises(AdmissionOver):
        await shop.admissions.require(shop.event_id, Visitor(BEK), token)


async def test_leaving_frees_the_place_at_once(shop):
    token = pass_for(shop)
    await shop.admissions.enter(token, Visitor(BEK))
    assert await shop.admissions.leave(shop.event_id, Visitor(BEK), token)
    assert not await shop.admissions.leave(shop.event_id, Visitor(BEK), token)
    assert not await shop.admissions.leave(shop.event_id, Visitor(BEK), None)
    with pytest.raises(PassForeign):
        await shop.admissions.leave(shop.event_id, Visitor(ERMEK), token)
    await shop.drain()
    assert [verb for verb, _, _ in shop.rooms.told] == ["keep", "free"]


async def test_the_ticker_ends_visits_whose_time_is_over_once(shop):
    for number in range(3):
        token = pass_for(shop, number + 1, jti=f"jti-{number}")
        await shop.admissions.enter(token, Visitor(number + 1))
    assert await shop.admissions.lapse() == 0
    shop.clock.advance(LEASE_S)
    assert await shop.admissions.lapse() == 3
    assert await shop.admissions.lapse() == 0
    await shop.drain()
    assert [verb for verb, _, _ in shop.rooms.told].count("free") == 3
