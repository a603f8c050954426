"""Notices set aside: what staff do about them is done once and written down."""

from random import Random

import pytest

from sales.outbox import Draft, Notice, PermanentError, stage
from sales.outbox_draining import Outbox
from sales.outbox_parked import NoteNeeded, NoticeUnknown, ParkedNotices

DANA = "account:7"


class Desk:
    """An outbox whose handler refuses what is in `bad`."""

    def __init__(self, db, clock) -> None:
        self.db, self.clock = db, clock
        self.bad = {5, 6}
        self.told: list[int] = []
        self.outbox = Outbox(db, clock, {"order.paid": self.handle}, Random(1))
        self.parked = ParkedNotices(db, clock)

    async def handle(self, notice: Notice) -> None:
        if notice.subject_id in self.bad:
            raise PermanentError("no such thing")
        self.told.append(notice.subject_id)

    async def put(self, *subjects: int) -> None:
        async with self.db.acquire() as conn, conn.transaction():
            drafts = [Draft("order.paid", n, {"seats": [n]}) for n in subjects]
            await stage(conn, self.clock.now(), drafts)
        await self.outbox.drain()

    async def audit(self, action: str):
        return await self.db.fetch(
            "SELECT actor, subject, detail FROM audit WHERE action = $1", action
        )


@pytest.fixture
def desk(db, clock):
    return Desk(db, clock)


async def test_staff_see_what_was_set_aside_and_why(desk):
    await desk.put(4, 5, 6)
    [newer, older] = await desk.parked.page()
    assert (older.subject_id, newer.subject_id) == (5, 6)
    assert (newer.lane, newer.attempts, newer.payload) == ("seats", 1, {"seats": [6]})
    assert newer.last_error == "PermanentError: no such thing"
    assert await desk.parked.page(below=newer.id) == [older]
    assert await desk.parked.page(kind="order.released") == []
    assert await desk.parked.get(older.id) == older


async def test_put_back_in_line_it_is_told_again(desk):
    await desk.put(5)
    [parked] = await desk.parked.page()
    desk.bad.clear()
    await desk.parked.retry(parked.id, DANA, by="dana@mail.kz")
    with pytest.raises(NoticeUnknown):
        await desk.parked.retry(parked.id, DANA)
    assert await desk.outbox.drain() == 1
    assert desk.told == [5]
    [line] = await desk.audit("notice.retry")
    assert (line["actor"], line["subject"]) == (DANA, f"notice:{parked.id}")
    assert line["detail"]["by"] == "dana@mail.kz"
    assert line["detail"]["last_error"] == "PermanentError: no such thing"


async def test_closed_with_a_note_it_is_gone_and_the_audit_has_all_of_it(desk):
    await desk.put(5)
    [parked] = await desk.parked.page()
    for note in ("", "  ok \n", "x" * 501):
        with pytest.raises(NoteNeeded):
            await desk.parked.close(parked.id, note, DANA)
    await desk.parked.close(parked.id, "  возвращено\nна кассе \0", DANA)
    with pytest.raises(NoticeUnknown):
        await desk.parked.close(parked.id, "ещё раз", DANA)
    assert await desk.parked.page() == []
    [line] = await desk.audit("notice.close")
    detail = line["detail"]
    assert (detail["note"], detail["kind"]) == ("возвращено на кассе", "order.paid")
    assert (detail["payload"], detail["subject_id"]) == ({"seats": [5]}, 5)
    assert detail["last_error"] == "PermanentError: no such thing"


async def test_what_is_not_set_aside_is_not_theirs_to_close(desk, db, clock):
    async with db.acquire() as conn, conn.transaction():
        await stage(conn, clock.now(), [Draft("order.paid", 1)])
    notice_id = await db.fetchval("SELECT id FROM notice")
    with pytest.raises(NoticeUnknown):
        await desk.parked.close(notice_id, "не нужно", DANA)
    with pytest.raises(NoticeUnknown):
        await desk.parked.get(notice_id)
    assert await desk.outbox.drain() == 1
