"""The independent checker compares what we sold with a partner's places."""

from uuid import UUID

from loadtest.checks.partners import check_partners
from loadtest.checks.report import Report
from tests.halls import build_event

PLACES = """
INSERT INTO partner_place
SELECT $1, n - 1, place, 1, n FROM unnest($2::uuid[]) WITH ORDINALITY AS one (place, n)"""
KEPT = """
INSERT INTO partner_order
    (event_id, seat, place_id, provider_order, order_id, state, asked_at, updated_at)
SELECT $1, n - 1, place, theirs, 5, 'confirmed', now(), now()
  FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS one (place, theirs, n)"""


async def test_each_lie_about_a_partner_s_places_is_found(db, monkeypatch):
    """Three places: sold by us and theirs, kept to be sold again, and free."""
    event = await build_event(db)
    places, orders = [str(UUID(int=n)) for n in (1, 2, 3)], [str(UUID(int=n)) for n in (7, 8)]
    await db.execute("INSERT INTO partner_hall VALUES ($1, NULL, now())", event)
    await db.execute("UPDATE event SET ownership = 'partner'")
    await db.execute(PLACES, event, places)
    await db.execute(KEPT, event, places[:2], orders)
    await db.execute("INSERT INTO seat_claim VALUES ($1, 0, 5, 7, true, now())", event)
    theirs = {
        place: {"id": place, "order_id": order, "order_status": order and "CONFIRMED"}
        for place, order in zip(places, [*orders, None], strict=True)
    }
    hall = {"hall": event, "lost": 0, "stopped": False}

    async def ask(_, path, **query):
        if path.endswith("halls"):
            return [hall, {"hall": event + 1, "lost": 9, "stopped": True}]
        return {"places": list(theirs.values()), "next": None}

    monkeypatch.setattr("loadtest.checks.partners.ask", ask)

    async def broken() -> list[str]:
        report = Report()
        await check_partners(report, db, "http://partner", at_rest=True)
        return report.broken

    unowned = "seats sold that their partner did not confirm to us"
    unwanted = "places kept at partners that nobody here wants"
    lies: list[tuple[int, dict[str, str | None], list[str]]] = [
        (0, {}, []),
        (0, {"order_status": "SUBMITTED"}, [unowned, unwanted]),
        (0, {"order_id": orders[1]}, [unowned, unwanted]),
        (0, {"order_id": None}, [unowned]),
        (1, {"order_id": orders[0]}, [unwanted]),
        (2, {"order_id": orders[1], "order_status": "STARTED"}, [unwanted]),
    ]
    for place, lie, named in lies:
        truth = theirs[places[place]]
        theirs[places[place]] = {**truth, **lie}
        assert await broken() == named, lie
        theirs[places[place]] = truth
    hall |= {"lost": 1, "stopped": True}
    await db.execute("UPDATE partner_order SET state = 'held' WHERE seat = 1")
    assert await broken() == [
        "places lost at partners",
        "partners whose halls have stopped",
        unwanted,
        "orders at partners that are not final",
    ]
