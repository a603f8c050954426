"""An event as a calendar entry (RFC 5545)."""

from datetime import UTC

from sales.catalogue import Event

# A line is folded so that none is longer than 75 octets (RFC 5545 §3.1).
LINE_OCTETS_MAX = 73


def calendar_of(event: Event, address: str) -> str:
    """One entry that starts when the event does. Its end is not known, so it has none."""
    moment = event.starts_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    place = ", ".join(part for part in (event.hall, event.city) if part)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Biletter//Tickets//RU",
        "BEGIN:VEVENT",
        f"UID:event-{event.id}@biletter",
        f"DTSTAMP:{moment}",
        f"DTSTART:{moment}",
        f"SUMMARY:{_escape(event.title)}",
        f"LOCATION:{_escape(place)}",
        f"URL:{address}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_fold(line)}\r\n" for line in lines)


def _escape(text: str) -> str:
    for char in ("\\", ";", ","):
        text = text.replace(char, f"\\{char}")
    return text.replace("\r", "").replace("\n", "\\n")


def _fold(line: str) -> str:
    """Break after as many whole characters as fit."""
    folded, room = "", LINE_OCTETS_MAX
    for char in line:
        size = len(char.encode())
        if size > room:
            folded, room = folded + "\r\n ", LINE_OCTETS_MAX - 1
        folded, room = folded + char, room - size
    return folded
