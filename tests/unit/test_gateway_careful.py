"""The careful gateway: what is asked, what is left alone, and what either is told as."""

import asyncio
from random import Random

import pytest

from sales.breaker import IN_A_ROW
from sales.gateway import Accepted, Found, Refused, ReturnUrls, Unknown
from sales.gateway_careful import CarefulGateway
from tests.fakes import FakeGateway, Refuse, Silent

URLS = ReturnUrls("a", "b", "c")


class Careful:
    def __init__(self, **limits):
        self.now = 0.0
        self.fake = FakeGateway()
        limits = {"rate_per_s": 1e6, "at_once": 8} | limits
        self.gateway = CarefulGateway(
            self.fake, chance=Random(3), seconds=lambda: self.now, **limits
        )

    async def init(self, order_id="o-1"):
        return await self.gateway.init(
            order_id=order_id, amount=500_000, description="", expiry_min=12, urls=URLS
        )

    async def check(self):
        return await self.gateway.check(payment_id=None, order_id="o-1")

    async def silence(self):
        self.fake.plan("check", *[Silent(acted=False)] * IN_A_ROW)
        for _ in range(IN_A_ROW):
            await self.check()


@pytest.fixture
def careful():
    return Careful()


async def test_calls_go_through_as_they_are(careful):
    offered = await careful.init()
    booked = careful.fake.newest
    assert offered.payment_id == booked.payment_id
    assert await careful.check() == Found(booked.payment_id, "o-1", "NEW", 500_000)
    booked.status = "AUTHORIZED"
    confirmed = await careful.gateway.confirm(payment_id=booked.payment_id, amount=500_000, key="k")
    cancelled = await careful.gateway.cancel(payment_id=booked.payment_id, reason="r", key="k")
    assert (confirmed, cancelled) == (Accepted("CONFIRMED"), Accepted("REFUNDED"))
    assert careful.gateway.form_url("7") == careful.fake.form_url("7")


async def test_after_silence_it_is_left_alone_and_whoever_asks_is_told_when_to_come(careful):
    await careful.silence()
    told = await careful.check()
    assert isinstance(told, Unknown)
    assert told.wait_s > 0
    assert careful.fake.calls == ["check"] * IN_A_ROW
    health = careful.gateway.health()
    assert (health.states["check"], health.is_well) == ("open", False)
    assert health.away_s["check"] > 0


async def test_a_gateway_that_often_has_to_be_asked_again_is_called_slow(careful):
    careful.fake.plan("check", *[Silent(acted=False)] * 2)
    for _ in range(2):
        await careful.check()
    assert (careful.gateway.is_slow("check"), careful.gateway.is_slow("init")) == (True, False)
    assert careful.gateway.health().is_well


async def test_one_kind_of_call_says_nothing_of_another(careful):
    await careful.silence()
    assert careful.gateway.away_s("init") == 0
    assert not isinstance(await careful.init(), Unknown)


async def test_a_refusal_is_an_answer(careful):
    careful.fake.plan("check", *[Refuse("1404")] * 50)
    for _ in range(50):
        assert await careful.check() == Refused("1404")
    assert careful.gateway.health().is_well


async def test_a_duplicate_order_id_is_doubtful_and_still_an_answer(careful):
    await careful.init()
    for _ in range(20):
        assert isinstance(await careful.init(), Unknown)
    assert careful.gateway.health().is_well


async def test_it_is_asked_again_when_the_pause_is_over(careful):
    await careful.silence()
    careful.now += 10
    assert await careful.check() == Refused("1404")
    assert careful.gateway.health().states["check"] == "half-open"
    await careful.check()
    assert careful.gateway.health().is_well


async def test_a_crowd_that_was_let_into_the_line_stops_when_the_breaker_opens():
    careful = Careful(at_once=1)
    careful.fake.plan("check", *[Silent(acted=False)] * 100)
    told = await asyncio.gather(*(careful.check() for _ in range(50)))
    assert careful.fake.calls == ["check"] * IN_A_ROW
    assert sum(1 for one in told if one.wait_s > 0) == 50 - IN_A_ROW


async def test_without_a_place_in_the_budget_nothing_is_sent(careful, monkeypatch):
    monkeypatch.setattr("sales.budget.WAITING_MAX", 0)
    told = await careful.check()
    assert isinstance(told, Unknown)
    assert told.wait_s > 0
    assert careful.fake.calls == []
    assert careful.gateway.health().is_well, "our own limit is not the gateway's silence"
