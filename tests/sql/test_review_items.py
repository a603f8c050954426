"""Review items: one open item a difference, gone when it is gone, closed by people with a note."""

import pytest

from sales.outbox_parked import NoteNeeded
from sales.reconcile.found import Difference
from sales.reconcile.items import KEPT, ItemUnknown, ReviewItems
from sales.reconcile.kinds import KINDS, ORDER_STUCK, PAYMENT_STUCK, SEATS_REPAIRED

DANA = "account:7"


def stuck(number: int, **found: object) -> Difference:
    return Difference(PAYMENT_STUCK, f"payment:{number}", found or {"state": "unknown"})


@pytest.fixture
def items(db, clock):
    return ReviewItems(db, clock)


async def test_a_difference_seen_often_is_one_item(items, clock):
    assert await items.report([stuck(1), stuck(2)]) == 2
    first = clock.now()
    clock.advance(60)
    assert await items.report([stuck(1, state="authorised")]) == 0
    [two, one] = await items.page()
    assert (one.subject, one.seen, one.found) == ("payment:1", 2, {"state": "authorised"})
    assert (one.first_seen, one.last_seen) == (first, clock.now())
    assert (two.seen, two.last_seen) == (1, first)
    assert await items.page(below=two.id) == [one]


async def test_it_closes_by_itself_once_nobody_finds_it(items, db, clock):
    await items.report([stuck(1), stuck(2), Difference(ORDER_STUCK, "order:1")])
    clock.advance(60)
    started = clock.now()
    await items.report([stuck(2)])
    assert await items.close_vanished([PAYMENT_STUCK], started) == 1
    assert [item.subject for item in await items.page()] == ["order:1", "payment:2"]
    [gone] = await items.page(state="closed")
    assert (gone.subject, gone.closed_by, gone.note) == ("payment:1", "reconciler", None)
    assert await db.fetchval("SELECT count(*) FROM audit WHERE action = 'review.vanish'") == 1
    # When it is there again, it is a new matter.
    assert await items.report([stuck(1)]) == 1


async def test_what_a_person_closed_stays_closed_while_the_same_is_found(items, db, clock):
    await items.report([stuck(1)])
    [item] = await items.page()
    with pytest.raises(NoteNeeded):
        await items.close(item.id, " ", DANA)
    await items.close(item.id, "вернули в кабинете", DANA, by="dana@mail.kz")
    with pytest.raises(ItemUnknown):
        await items.close(item.id, "ещё раз", DANA)
    line = await db.fetchrow("SELECT actor, subject, detail FROM audit")
    assert (line["actor"], line["subject"]) == (DANA, f"review:{item.id}")
    assert line["detail"] == {
        "kind": PAYMENT_STUCK,
        "about": "payment:1",
        "found": {"state": "unknown"},
        "note": "вернули в кабинете",
        "by": "dana@mail.kz",
    }
    clock.advance(60)
    assert await items.report([stuck(1)]) == 0
    assert await items.page() == []
    assert (await items.get(item.id)).seen == 2
    assert await items.report([stuck(1, state="authorised")]) == 1


async def test_what_was_repaired_is_told_and_waits_for_nobody(items):
    await items.tell_repaired([Difference(SEATS_REPAIRED, "event:1", {"seats": [3]})])
    await items.tell_repaired([Difference(SEATS_REPAIRED, "event:1", {"seats": [3]})])
    assert await items.page() == []
    assert len(await items.page(state="closed", kind=SEATS_REPAIRED)) == 2


async def test_open_items_are_counted_by_kind(items):
    await items.report([stuck(1), stuck(2)])
    counts = await items.measure()
    assert counts[PAYMENT_STUCK] == 2
    assert counts[ORDER_STUCK] == 0
    assert set(counts) == set(KINDS)


async def test_closed_items_are_dropped_when_they_are_old(items, clock):
    await items.report([stuck(1)])
    await items.tell_repaired([Difference(SEATS_REPAIRED, "event:1")])
    clock.advance(KEPT.total_seconds() + 1)
    assert await items.forget_old() == 1
    assert len(await items.page()) == 1
