"""The lane of the invited: who may stand there, how both lines are called, and its codes."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from kernel.keyring import Keyring
from kernel.subjects import subject_of
from tests.web.room_site import EVENT, HTML, Site
from tests.web.test_room_calls import code_of
from waitingroom import keys
from waitingroom.invitations import Invitations

ROOM, PAGE = f"/rooms/{EVENT}", f"/queue/{EVENT}"
DAY_S = 86_400


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


def invite(site: Site, event: int = EVENT, *, account: int | None = None, life_s: int = DAY_S):
    secret = site.keyring.secret("subject")
    subject = subject_of(secret, "account", account) if account else ""
    until_s = site.clock.ms() // 1000 + life_s
    return site.rooms.invitations.write(event, lane="fans", until_s=until_s, subject=subject)


async def join(visitor: httpx.AsyncClient, token: str | None = None) -> Any:
    return await visitor.post(f"{ROOM}/entries", json={"invite": token} if token else {})


async def invited(site: Site) -> httpx.AsyncClient:
    visitor = site.visitor()
    assert (await join(visitor, invite(site))).status_code == 201
    return visitor


async def test_the_invited_have_a_line_of_their_own_and_burn_no_number_of_the_others(site: Site):
    await site.open(state="paused")
    aru, bek, dana = site.visitor(), site.visitor(), site.visitor()
    assert (await join(aru)).json()["number"] == 1
    told = (await join(bek, invite(site))).json()
    assert (told["number"], told["position"], told["invited"]) == (1, 1, True)
    assert (await join(dana)).json()["number"] == 2
    await site.move(0.5)
    status = (await aru.get(f"{ROOM}/status")).json()
    assert (status["issued"], status["lane"]) == (
        2,
        {"serving": 0, "issued": 1, "living": 1, "share": 50},
    )
    place = (await bek.get(f"{ROOM}/entries/me")).json()
    assert (place["invited"], place["ahead"], place["stage"]) == (True, 0, "waiting")
    assert (await aru.get(f"{ROOM}/entries/me")).json()["invited"] is False
    again = await join(bek)
    assert (again.status_code, again.json()["number"], again.json()["invited"]) == (200, 1, True)


async def test_an_invitation_may_come_in_a_header_too(site: Site):
    await site.open(proof_bits=8)
    headers = {"x-queue-invite": invite(site)}
    joined = await site.visitor().post(f"{ROOM}/entries", headers=headers)
    assert (joined.status_code, joined.json()["invited"]) == (201, True)


async def test_an_invitation_is_used_by_whoever_comes_first_with_it(site: Site):
    await site.open(state="paused")
    aru, ermek, token = site.visitor(), site.visitor(), invite(site)
    assert (await join(aru, token)).status_code == 201
    assert code_of(await join(ermek, token)) == (410, "invite-used")
    assert (await join(aru, token)).status_code == 200
    await site.rooms.reader.refresh()
    assert site.rooms.snapshot(EVENT).issued == 0, "no number was burned"
    assert (await ermek.get(f"{ROOM}/entries/me")).status_code == 404
    # Who left may come again with it, at the end.
    await aru.delete(f"{ROOM}/entries/me")
    assert (await join(aru, token)).json()["number"] == 2
    assert code_of(await join(ermek, token)) == (410, "invite-used")


async def test_an_invitation_is_spent_once_it_led_inside(site: Site):
    await site.open(rate_per_minute=600)
    aru, token = site.visitor(), invite(site)
    joined = await join(aru, token)
    await site.move(1)
    assert (await aru.post(f"{ROOM}/claims")).status_code == 201
    assert (await join(aru, token)).status_code == 200, "still inside"
    subject = site.rooms.book.read(joined.json()["entry"], EVENT).subject
    await site.rooms.free(EVENT, subject)
    refused = await join(aru, token)
    assert (code_of(refused), refused.json()["reason"]) == ((410, "invite-used"), "spent")
    # An ordinary place, and another invitation, are still to be had.
    assert (await join(aru, invite(site))).json()["number"] == 2


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "same-site"}], ids=["hot", "routed"])
async def test_bad_invitations_are_refused_before_redis_is_asked(
    site: Site, tmp_path: Path, clock: ManualClock, headers: dict[str, str]
):
    await site.open()
    stranger = Invitations(Keyring(tmp_path / "others"), clock)
    now_s = clock.ms() // 1000
    good = invite(site)
    bad = {
        stranger.write(EVENT, lane="fans", until_s=now_s + 60): (403, "invite-forged"),
        good[:-4] + "AAAA": (403, "invite-forged"),
        "x" * 3000: (403, "invite-forged"),
        "приглашение": (403, "invite-forged"),
        site.keyring.sign("pass", {"aud": "1", "exp": now_s + 60, "nbf": 0}, typ="pass+jwt"): (
            403,
            "invite-forged",
        ),
        invite(site, 2): (403, "invite-foreign"),
        invite(site, account=7): (403, "invite-not-yours"),
    }
    late = invite(site, life_s=30)
    clock.advance(30)
    bad[late] = (410, "invite-expired")
    store_run, asked = site.redis.execute_command, []

    async def count(*args: Any, **options: Any) -> Any:
        asked.append(args)
        return await store_run(*args, **options)

    site.redis.execute_command = count  # type: ignore[method-assign]  # counted here only
    visitor = site.visitor(account=8)
    visitor.cookies.set("biletter_device", "d" * 22)
    for token, code in bad.items():
        answer = await visitor.post(f"{ROOM}/entries", json={"invite": token}, headers=headers)
        assert code_of(answer) == code, token[:30]
    assert asked == []
    await site.rooms.reader.refresh()
    assert (site.rooms.snapshot(EVENT).issued, site.rooms.snapshot(EVENT).lane) == (0, None)


async def test_an_invitation_made_out_to_an_account_is_good_for_it_alone(site: Site):
    await site.open()
    token = invite(site, account=7)
    for other in (site.visitor(), site.visitor(account=8)):
        assert code_of(await join(other, token)) == (403, "invite-not-yours")
    assert (await join(site.visitor(account=7), token)).status_code == 201


async def test_who_is_invited_later_gives_up_the_place_in_the_line(site: Site):
    await site.open(state="paused")
    aru, bek = site.visitor(account=7), site.visitor()
    await join(aru)
    await join(bek)
    assert (await join(aru, invite(site))).json()["invited"] is True
    await site.move(0.5)
    assert (await bek.get(f"{ROOM}/entries/me")).json()["ahead"] == 0
    snapshot = site.rooms.snapshot(EVENT)
    assert (snapshot.waiting, snapshot.lane and snapshot.lane.waiting) == (1, 1)
    # Elsewhere, without the invitation: the same place, not a second one.
    elsewhere = await join(site.visitor(account=7))
    assert (elsewhere.status_code, elsewhere.json()["invited"]) == (200, True)


async def test_a_place_in_the_lane_follows_its_owner_who_signs_in(site: Site):
    await site.open(state="paused")
    aru = site.visitor()
    device_place = await join(aru, invite(site))
    await site.rooms.reader.refresh()
    aru.headers["x-account"] = "7"
    bound = await join(aru)
    assert (bound.status_code, bound.json()["invited"]) == (200, True)
    assert bound.json()["number"] == device_place.json()["number"]
    assert (await join(site.visitor(account=7))).json()["invited"] is True


async def test_the_lane_goes_on_through_a_draw_and_ends_with_a_reset(site: Site):
    now_ms = site.clock.ms()
    times = {"prequeue_at": now_ms - 1, "opens_at": now_ms + 5_000}
    await site.open(mode="scheduled", rate_per_minute=60, **times)
    entrants = [site.visitor() for _ in range(5)]
    for visitor in entrants:
        await join(visitor)
    aru = await invited(site)
    late = entrants[0]
    assert (await join(late, invite(site))).json()["number"] == 2
    place = (await aru.get(f"{ROOM}/entries/me")).json()
    assert (place["number"], place["stage"], place["state"]) == (1, "waiting", "prequeue")
    assert code_of(await aru.post(f"{ROOM}/claims")) == (409, "not-called")
    more = [await invited(site) for _ in range(4)]
    await site.move(6)
    assert (await aru.post(f"{ROOM}/claims")).status_code == 201
    kept = [(await one.get(f"{ROOM}/entries/me")).json()["number"] for one in more]
    assert kept == [3, 4, 5, 6], "nothing was drawn in the lane"
    numbers = [(await one.get(f"{ROOM}/entries/me")).json()["number"] for one in entrants[1:]]
    assert len(set(numbers)) == 4
    assert (await late.get(f"{ROOM}/entries/me")).json()["invited"] is True
    assert (await join(late)).json()["number"] == 2
    await site.rooms.reset(EVENT, "Dana")
    await site.rooms.reader.refresh()
    assert code_of(await late.get(f"{ROOM}/entries/me")) == (410, "generation-over")
    names: Any = await site.redis.keys(f"room:{{{EVENT}}}:*:lane:*")
    assert {name.split(b":")[4] for name in names} <= {b"live"}


async def test_the_invited_are_invited_after_the_line_started_anew(site: Site):
    await site.open(state="paused")
    aru, bek = await invited(site), site.visitor()
    await join(bek)
    proof = aru.cookies[f"biletter_entry_{EVENT}"]
    await site.rooms.reset(EVENT, "Dana")
    await site.rooms.reader.refresh()
    assert (await join(bek)).json()["invited"] is False
    told = (await join(aru)).json()
    assert (told["number"], told["invited"]) == (1, True), "without a second invitation"
    # The old proof is good for a first place, and for nothing once that one was used.
    await site.rooms.configure(EVENT, {"state": "open"}, "Dana")
    await site.move(1)
    assert (await aru.post(f"{ROOM}/claims")).status_code == 201
    subject = site.rooms.book.read(proof, EVENT).subject
    await site.rooms.free(EVENT, subject)
    aru.cookies.pop(f"biletter_entry_{EVENT}", None)
    answer = await aru.post(f"{ROOM}/entries", headers={"authorization": f"Entry {proof}"})
    assert answer.json()["invited"] is False


async def test_a_lost_redis_gives_no_number_of_the_lane_twice(site: Site):
    await site.open(state="paused")
    aru, bek = await invited(site), await invited(site)
    await site.move(0.5)
    await site.redis.flushall()
    await site.rooms.reader.refresh()
    await site.move(0.5)
    assert (await bek.get(f"{ROOM}/entries/me")).json()["number"] == 2
    dana = await join(site.visitor(), invite(site))
    assert (dana.status_code, dana.json()["invited"]) == (201, True)
    assert dana.json()["number"] > 2
    assert (await join(aru)).json()["number"] == 1
    lane = keys.line(EVENT, site.rooms.snapshot(EVENT).settings.lane_id)
    assert await site.redis.hget(lane, "recovered_ms")


async def test_a_lane_that_was_lost_before_anybody_read_it_goes_on(site: Site):
    await site.open(state="paused")
    await site.rooms.reader.refresh()
    await invited(site)
    await invited(site)
    await site.redis.flushall()
    dana = await join(site.visitor(), invite(site))
    assert (dana.status_code, dana.json()["invited"]) == (201, True)
    assert dana.json()["number"] > 2
    await site.rooms.reader.refresh()
    assert site.rooms.snapshot(EVENT).lane


async def test_the_page_tells_of_the_invitation_and_uses_it_by_a_button(site: Site):
    await site.open(state="paused", title="Селеста Морейра")
    aru, token = site.visitor(), invite(site)
    page = await aru.get(PAGE, params={"invite": token}, headers=HTML)
    assert 'id="queue-invite"' in page.text
    assert f'name="invite" value="{token}"' in page.text
    assert (await aru.get(f"{ROOM}/entries/me")).status_code == 404, "looking uses nothing"
    pressed = await aru.post(f"{PAGE}/join", data={"invite": token}, headers=HTML)
    assert pressed.status_code == 303
    assert "invite" not in pressed.headers["location"]
    page = await aru.get(PAGE, params={"invite": token}, headers=HTML)
    assert "очереди приглашённых" in page.text
    assert "queue-invite" not in page.text
    ermek = site.visitor()
    refused = await ermek.post(f"{PAGE}/join", data={"invite": token}, headers=HTML)
    shown = await ermek.get(refused.headers["location"], headers=HTML)
    assert "Этим приглашением уже воспользовались." in shown.text
    assert 'data-verb="join"' in shown.text, "the ordinary way in stays open"
    assert 'name="invite"' not in shown.text


async def test_who_waits_may_change_over_on_the_page(site: Site):
    await site.open(state="paused")
    aru, token = site.visitor(), invite(site)
    await join(aru)
    page = await aru.get(PAGE, params={"invite": token}, headers=HTML)
    assert f'name="invite" value="{token}"' in page.text
    assert 'data-shows="paused"' in page.text
    await aru.post(f"{PAGE}/join", data={"invite": token}, headers=HTML)
    assert (await aru.get(f"{ROOM}/entries/me")).json()["invited"] is True


async def test_a_place_in_the_lane_is_handed_over(site: Site):
    await site.open(state="paused")
    laptop, phone = await invited(site), site.visitor()
    url = (await laptop.post(f"{ROOM}/handovers")).json()["url"]
    token = url.rpartition("token=")[2]
    await phone.post(f"{PAGE}/handover", data={"token": token})
    place = (await phone.get(f"{ROOM}/entries/me")).json()
    assert (place["number"], place["invited"]) == (1, True)
    assert (await laptop.get(f"{ROOM}/entries/me")).status_code == 404
