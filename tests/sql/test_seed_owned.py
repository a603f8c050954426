"""Events of the demonstration whose seats others own, and the halls that they are laid upon."""

import httpx
import pytest

from biletter.partner_side import PartnerSide
from biletter.seed.demo import own_star, seed_events
from biletter.seed.owned import CINEMA_ID, FESTIVAL_ID, festival, partner_cinema
from biletter.seed.partner_halls import HallsPrepared
from biletter.settings import Settings
from sales.catalogue import Catalogue
from sales.halls import Halls
from tests.web.provider_stand import open_provider

SEATS = sum(zone.seat_count for zone in partner_cinema().zones)


def quiet(_: str) -> None:
    pass


@pytest.fixture
async def seeded(db, clock):
    await seed_events(db, clock, None, quiet)
    return db


async def owner_of(db, event_id):
    return await db.fetchval("SELECT ownership FROM event WHERE id = $1", event_id)


async def test_each_kind_of_owner_has_an_event_and_a_reseed_leaves_it(seeded, clock):
    assert await owner_of(seeded, 1) == "own"
    assert await owner_of(seeded, CINEMA_ID) == "partner"
    assert await owner_of(seeded, FESTIVAL_ID) == "allotment"
    await seeded.execute("UPDATE event SET ownership = 'own' WHERE id = $1", CINEMA_ID)
    await seed_events(seeded, clock, None, quiet)
    assert await owner_of(seeded, CINEMA_ID) == "own"


async def test_the_festival_has_given_us_a_third_of_its_fan_zone_and_rows_of_its_stand(
    seeded, clock
):
    fan_zone, stand, boxes = festival().zones
    given = await seeded.fetch("SELECT * FROM allotment ORDER BY zone_no")
    assert [row["zone_no"] for row in given] == [fan_zone.zone_no, stand.zone_no]
    assert boxes.zone_no not in {row["zone_no"] for row in given}
    assert 0.3 <= given[0]["places"] / fan_zone.seat_count <= 0.4
    assert given[0]["seats"] is None
    assert given[1]["seats"] == list(range(stand.first_seat, stand.first_seat + 6 * 40))
    assert given[1]["places"] == 240
    # Staff have lowered one, and it was over: seeded anew later, it is open again and stays lower.
    await seeded.execute("UPDATE allotment SET places = 1000, state = 'closed' WHERE zone_no = 1")
    await seed_events(seeded, clock, None, quiet)
    assert await seeded.fetchval("SELECT state FROM allotment WHERE zone_no = 1") == "closed"
    clock.advance(86_400)
    await seed_events(seeded, clock, None, quiet)
    row = await seeded.fetchrow("SELECT places, state FROM allotment WHERE zone_no = 1")
    assert tuple(row) == (1000, "open")


async def test_a_hall_that_was_once_laid_smaller_stays_as_it_is(seeded, clock):
    await seeded.execute("DELETE FROM zone WHERE event_id = $1 AND zone_no > 1", FESTIVAL_ID)
    await seeded.execute(
        "UPDATE zone SET row_sizes = array_fill(50, '{28}'), seat_count = 1400 WHERE event_id = $1",
        FESTIVAL_ID,
    )
    clock.advance(86_400)
    await seed_events(seeded, clock, None, quiet)
    hall = await Halls(Catalogue(seeded, clock)).hall(FESTIVAL_ID)
    assert hall.capacity == 1400


async def test_event_one_changes_its_owner_while_nobody_has_a_seat(seeded, clock):
    assert await own_star(seeded, clock, "partner")
    assert await owner_of(seeded, 1) == "partner"
    await seeded.execute(
        "INSERT INTO seat_claim (event_id, seat, order_id, account_id, claimed_at)"
        " VALUES (1, 0, 1, 1, now())"
    )
    assert await own_star(seeded, clock, "partner")
    assert not await own_star(seeded, clock, "own")
    assert await owner_of(seeded, 1) == "partner"
    await seeded.execute("DELETE FROM seat_claim")
    assert await own_star(seeded, clock, "own")
    assert await owner_of(seeded, 1) == "own"


async def test_a_hall_is_laid_at_the_stand_in_once_and_connected_again_when_it_is_lost(
    seeded, clock, tmp_path
):
    said: list[str] = []
    async with open_provider(tmp_path / "records.sqlite", clock) as provider:
        base = str(provider.http.base_url).rstrip("/")
        catalogue = Catalogue(seeded, clock)
        settings = Settings(provider_endpoint=base + "/event/{event}/event-provider")
        side = PartnerSide(settings, seeded, clock, catalogue)

        async def prepare() -> bool:
            halls = side.halls(Halls(catalogue))
            address = settings.provider_url
            prepared = HallsPrepared(seeded, halls, address, said.append, is_ours=True)
            return await prepared.prepare([1, CINEMA_ID])

        async def halls() -> dict[int, int]:
            told = (await provider.http.get("/sandbox/halls")).json()
            return {one["hall"]: one["places"] for one in told}

        async def laid() -> int:
            return int(await seeded.fetchval("SELECT count(*) FROM partner_place"))

        await provider.faults(down=True)
        assert not await prepare()
        assert f"script/biletter event partner {CINEMA_ID} --yes" in said[-1]
        await provider.faults()
        assert await prepare()
        assert await halls() == {CINEMA_ID: SEATS}
        assert await laid() == SEATS
        first = await seeded.fetchrow("SELECT * FROM partner_place WHERE seat = 0")
        place = httpx.URL(f"{base}/event/{CINEMA_ID}/event-provider/api/partners/v1/places")
        told = (await provider.http.get(f"{place}/{first['place_id']}")).json()
        zone = partner_cinema().zones[0]
        assert (told["row"], told["seat"]) == (zone.first_row, 1)
        said.clear()
        assert await prepare()
        assert said == []
        # Somebody has thrown the stand-in's records away: other places stand there now.
        path = f"/event/{CINEMA_ID}/event-provider/api/admin/v1/reset"
        await provider.http.post(path, json={"places": True})
        assert await prepare()
        again = await seeded.fetchrow("SELECT * FROM partner_place WHERE seat = 0")
        assert again["place_id"] != first["place_id"]
        assert (await halls(), await laid()) == ({CINEMA_ID: SEATS}, SEATS)
        await side.close()
