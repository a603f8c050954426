"""Calendar entries that every calendar can read."""

from datetime import UTC, datetime

from sales.catalogue import Event
from sales.web.pages.calendar import calendar_of

EVENT = Event(
    id=5,
    title="Пьеса; акты 1, 2 \\ и ещё очень длинное название, которое не поместится в строку",
    description="",
    kind="theater",
    hall="Театр «Алатау»",
    city="Алматы",
    provider="",
    starts_at=datetime(2026, 6, 1, 14, 0, tzinfo=UTC),
    local_day=datetime(2026, 6, 1, tzinfo=UTC).date(),
    ownership="own",
    state="on_sale",
    guarded=False,
    person_limit=None,
    order_limit=6,
    hold_seconds=600,
    refund_hours=12,
    look={},
)


def test_lines_are_short_and_end_as_the_standard_says():
    text = calendar_of(EVENT, "http://localhost/orders/1")
    lines = text.split("\r\n")
    assert lines[-1] == ""
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "\n" not in text.replace("\r\n", "")


def test_what_separates_is_escaped_and_the_start_is_exact():
    text = calendar_of(EVENT, "http://localhost/orders/1").replace("\r\n ", "")
    assert "SUMMARY:Пьеса\\; акты 1\\, 2 \\\\ и ещё" in text
    assert "DTSTART:20260601T140000Z" in text
    assert "LOCATION:Театр «Алатау»\\, Алматы" in text
