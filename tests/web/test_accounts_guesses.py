"""Wrong passwords at the sign-in page: who is slowed, and who is not."""

import pytest

from accounts.attempts import GUESSES_MAX, STRANGERS_GUESSES_MAX
from accounts.passwords import Passwords
from tests.web.accounts_site import Site

ARU = {"email": "Aru@mail.kz", "password": "тюльпаны цветут"}


@pytest.fixture
def site(db, clock):
    passwords = Passwords(b"p" * 32)
    yield Site(db, clock, passwords)
    passwords.close()


async def test_too_many_guesses_are_told_when_to_come_back(site):
    async with site.browser() as browser:
        for guess in range(10):
            form = ARU | {"password": f"догадка {guess}"}
            assert (await browser.post("/sign-in", data=form)).status_code == 401
        answer = await browser.post("/sign-in", data=ARU)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0


async def test_a_strangers_guesses_do_not_lock_the_owner_out(site):
    async with site.browser() as owner, site.browser() as stranger, site.browser() as thief:
        await owner.post("/sign-up", data=ARU)
        await owner.post("/sign-out")
        for guess in range(GUESSES_MAX):
            await stranger.post("/sign-in", data=ARU | {"password": f"догадка {guess}"})
        for form in (ARU, ARU | {"password": "догадка"}):
            assert (await stranger.post("/sign-in", data=form)).status_code == 429
        # The mark is worth nothing on another device.
        thief.cookies.set("biletter_met", owner.cookies["biletter_met"])
        assert (await thief.post("/sign-in", data=ARU)).status_code == 429
        assert (await owner.post("/sign-in", data=ARU)).status_code == 303


async def test_a_known_device_has_ten_guesses_too_and_knows_several_accounts(site):
    bek = ARU | {"email": "bek@mail.kz"}
    async with site.browser() as tablet, site.browser() as other:
        for form in (ARU, bek):
            await tablet.post("/sign-up", data=form)
            await tablet.post("/sign-out")
        for guess in range(GUESSES_MAX):
            await tablet.post("/sign-in", data=ARU | {"password": f"догадка {guess}"})
        assert (await tablet.post("/sign-in", data=ARU)).status_code == 429
        assert (await tablet.post("/sign-in", data=bek)).status_code == 303
        assert (await other.post("/sign-in", data=ARU)).status_code == 303


RIGHT = (ARU["email"], ARU["password"])


async def guess(site, address: str, count: int, first: int = 0) -> set[int]:
    async with site.browser(address=address) as program:
        answers = [
            await program.get("/api/whoami", auth=(ARU["email"], f"догадка {first + n}"))
            for n in range(count)
        ]
    return {answer.status_code for answer in answers}


async def test_guesses_by_basic_lock_out_the_place_they_come_from_and_no_other(site):
    async with site.browser() as owner:
        await owner.post("/sign-up", data=ARU)
    assert await guess(site, "203.0.113.7", GUESSES_MAX) == {401}
    async with (
        site.browser(address="203.0.113.200") as neighbour,
        site.browser(address="198.51.100.1") as elsewhere,
    ):
        refused = await neighbour.get("/api/whoami", auth=RIGHT)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-guesses")
        assert int(refused.headers["retry-after"]) > 0
        assert (await elsewhere.get("/api/whoami", auth=RIGHT)).status_code == 200
        # Credentials that were right a moment ago are no guess, wherever they come from.
        assert (await neighbour.get("/api/whoami", auth=RIGHT)).status_code == 200


async def test_guesses_from_everywhere_end_as_well_and_the_owners_browser_stays(site):
    async with site.browser() as owner:
        await owner.post("/sign-up", data=ARU)
        await owner.post("/sign-out")
        places = STRANGERS_GUESSES_MAX // GUESSES_MAX
        for n in range(places):
            assert await guess(site, f"203.0.{n}.7", GUESSES_MAX, 100 * n) == {401}
        assert await guess(site, "198.51.100.1", 1, 9_999) == {429}
        assert (await owner.post("/sign-in", data=ARU)).status_code == 303
