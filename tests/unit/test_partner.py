"""What is decided about an order at a partner, and what its client makes of answers, over HTTP."""

from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as some

from sales.breaker import IN_A_ROW
from sales.gateway import Unknown
from sales.gateway_wire import Answer, HttpWire
from sales.geometry import Hall, Zone
from sales.partner import NotThere, PartnerOrder, PlaceTold, Told, move_partner_order
from sales.partner_api import Done, No, PartnerApi
from sales.partner_careful import Partner
from sales.partner_halls import HallsDiffer, lay
from sales.partner_steps import Call, Learn, Look, Rest, Wait, decide
from tests.partner import FakePartner

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO, SOON = NOW - timedelta(minutes=5), NOW + timedelta(seconds=5)
OURS = PartnerOrder(
    id=1,
    event_id=1,
    seat=0,
    place_id=uuid4(),
    provider_order=uuid4(),
    order_id=7,
    state="held",
    version=3,
    call=None,
    calling_until=None,
    asked_at=LONG_AGO,
    selected_at=LONG_AGO,
    settled_at=LONG_AGO,
    updated_at=LONG_AGO,
    last_error=None,
)
ASKED = {"state": "asked", "call": "select", "settled_at": None, "selected_at": None}
JUST_NOW = {"calling_until": NOW - timedelta(seconds=1)}
OVER = {"calling_until": LONG_AGO}
STARTED, JOINED = Told("STARTED", 0), Told("STARTED", 1)
SUBMITTED, CONFIRMED, CANCELLED = (Told(s, 1) for s in ("SUBMITTED", "CONFIRMED", "CANCELLED"))
GOALS = ("keep", "submit", "confirm", "free")


def order(**changes: Any) -> PartnerOrder:
    return msgspec.structs.replace(OURS, **changes)


@pytest.mark.parametrize(
    ("changes", "goal", "told", "step"),
    [
        # The settle rule: nothing is asked before the place was seen to have joined.
        ({"settled_at": None}, "submit", None, Look()),
        ({"settled_at": None}, "free", STARTED, Wait),
        ({"settled_at": None}, "free", NotThere(), Wait),
        ({"settled_at": None}, "free", JOINED, Learn(None, is_settled=True)),
        # Onward.
        ({}, "keep", None, Rest()),
        ({}, "submit", None, Call("submit")),
        ({}, "confirm", None, Call("submit")),
        ({"state": "submitted"}, "confirm", None, Call("confirm")),
        ({"state": "submitted"}, "free", None, Call("cancel")),
        ({}, "free", None, Call("cancel")),
        # Ours for good.
        ({"state": "confirmed"}, "free", None, Rest()),
        ({"state": "cancelled"}, "confirm", None, Rest()),
        # One call at a time.
        ({"call": "submit", "calling_until": SOON}, "free", None, Wait),
        # A call without an answer is looked into before it is said again.
        ({"call": "submit"} | JUST_NOW, "confirm", None, Look()),
        ({"call": "submit"} | JUST_NOW, "confirm", JOINED, Wait),
        ({"call": "submit"} | JUST_NOW, "confirm", SUBMITTED, Learn("submit", is_settled=True)),
        ({"call": "submit"} | OVER, "confirm", JOINED, Learn(None)),
        ({"call": "cancel"} | OVER, "free", Unknown("silence"), Wait),
        ({"call": "cancel"} | OVER, "keep", CANCELLED, Learn("cancel", is_settled=True)),
        (
            {"state": "submitted", "call": "confirm"} | JUST_NOW,
            "free",
            CONFIRMED,
            Learn("confirm", is_settled=True),
        ),
        # Whether a select was carried out: its own order tells, however long that takes to show.
        (ASKED | JUST_NOW, "keep", JOINED, Learn("hold", is_settled=True)),
        (ASKED | JUST_NOW, "free", STARTED, Wait),
        (ASKED | JUST_NOW, "free", NotThere(), Wait),
        (ASKED | OVER, "free", STARTED, Learn("refuse")),
        (ASKED | OVER, "free", Unknown("silence"), Wait),
        # Others may cancel there: it knows no keys.
        ({"state": "submitted"}, "confirm", CANCELLED, Learn("cancel", is_settled=True)),
    ],
)
def test_one_step_follows_from_what_is_known(changes, goal, told, step):
    found = decide(order(**changes), goal, told, NOW)
    assert isinstance(found, step) if isinstance(step, type) else found == step


@given(
    some.sampled_from(["asked", "held", "submitted", "confirmed", "cancelled", "refused"]),
    some.sampled_from([None, "submit", "confirm", "cancel"]),
    some.booleans(),
    some.sampled_from(GOALS),
    some.sampled_from(
        [None, NotThere(), Unknown("silence"), STARTED, JOINED, SUBMITTED, CONFIRMED, CANCELLED]
    ),
)
def test_no_call_breaks_the_settle_rule_and_no_step_leaves_the_table(
    state, call, settled, goal, told
):
    if state == "asked":
        call, settled = "select", False
    until = LONG_AGO if call else None
    ours = order(
        state=state,
        call=call,
        calling_until=until,
        settled_at=LONG_AGO if settled else None,
    )
    match decide(ours, goal, told, NOW):
        case Call(what):
            assert settled
            assert call is None
            assert state in {"held", "submitted"}
            assert move_partner_order(state, what) is not None
        case Learn(verb, _) if verb is not None:
            assert move_partner_order(state, verb) is not None
        case Wait(delay_s):
            assert delay_s > 0
        case Look():
            assert told is None


@pytest.fixture
async def served() -> AsyncIterator[tuple[FakePartner, PartnerApi]]:
    """The small partner behind real HTTP, at an address with a path of its own."""
    fake = FakePartner([3])

    async def answer(request: web.Request) -> web.Response:
        told = await fake.send(request.method, request.path_qs, await request.read())
        return web.Response(status=told.status, body=told.content)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    api = PartnerApi(HttpWire(f"http://127.0.0.1:{port}/event/7/event-provider", total_s=1.0))
    yield fake, api
    await api.close()
    await runner.cleanup()


async def test_each_answer_of_the_contract_is_understood(served):
    _, api = served
    listed = await api.places(1)
    assert [(one.row, one.seat, one.is_free) for one in listed] == [
        (0, 0, True),
        (0, 1, True),
        (0, 2, True),
    ]
    mine, other = await api.create(), await api.create()
    place = listed[0].id
    assert await api.select(place, mine) == Done()
    assert await api.select(place, other) == No()
    assert await api.order(mine) == JOINED
    assert isinstance(await api.order(uuid4()), NotThere)
    assert await api.change("submit", other) == No(), "it has no place"
    assert isinstance(await api.change("submit", uuid4()), Unknown), "unknown is 500"
    assert await api.change("submit", mine) == Done()
    assert await api.change("confirm", mine) == Done()
    assert await api.change("cancel", mine) == No()
    assert await api.order(mine) == CONFIRMED
    assert [one.is_free for one in await api.places(1)] == [False, True, True]


async def test_an_odd_answer_is_no_answer(served):
    fake, api = served

    async def odd(*_: object) -> Answer:
        return Answer(201, b'["what"]')

    fake.send = odd
    assert isinstance(await api.create(), Unknown)
    assert isinstance(await api.order(uuid4()), Unknown)


async def test_a_partner_that_is_silent_is_left_alone_and_its_neighbour_is_not():
    def partner(wire: Any) -> Partner:
        api = PartnerApi(wire)
        return Partner("x", api, rate_per_s=1000, at_once=2, chance=Random(1), seconds=lambda: 0.0)

    fake = FakePartner([1])
    fake.plan["create"] = deque(["silent"] * 20)
    sick, well = partner(fake), partner(FakePartner([1]))
    for _ in range(20):
        assert isinstance(await sick.create(), Unknown)
    assert fake.calls.count("create") == IN_A_ROW
    assert sick.away_s() > 0
    assert isinstance(await sick.places(1), list), "lists have a breaker of their own"
    assert well.away_s() == 0


def test_a_partners_list_is_laid_upon_the_hall_row_by_row():
    hall = Hall(1, [Zone(1, "A", 100, 1, (2, 1), 0, 3)])
    places = [PlaceTold(uuid4(), row, seat, is_free=True) for row, seat in [(9, 5), (4, 7), (4, 6)]]
    laid = lay(places, hall)
    assert [(seat, row, number) for seat, _, row, number in laid] == [
        (0, 4, 6),
        (1, 4, 7),
        (2, 9, 5),
    ]
    for wrong in (places[:2], [*places, places[0]], []):
        with pytest.raises(HallsDiffer):
            lay(wrong, hall)
