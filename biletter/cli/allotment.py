"""biletter allotment"""

import argparse
import json
from datetime import datetime
from typing import Any

from biletter.cli.surroundings import settings_beside_running, told
from biletter.parts import Parts
from kernel.errors import BadInput
from kernel.values import tenge
from sales.allotment import LETTERS
from sales.allotments import Allotments, Standing
from sales.allotments_export import as_csv, as_data
from sales.catalogue import Catalogue
from sales.event_rows import VENUE_ZONE
from sales.geometry import Hall
from sales.halls import Halls

ACTOR = "cli"
DB_CONNECTIONS = 1


class NoSuchRows(BadInput):
    """Таких рядов в этой зоне нет."""

    code = "no-such-rows"


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "allotment",
        help="show what the owner of a hall has given us and what is sold of it, or write it down",
        description="Of an event with allotments nothing else is sold. Numbers and deadlines are"
        " changed on the event's page for staff.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    show = deeds.add_parser("show", help="print what is given, sold and reported")
    shape = show.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="as JSON, with rows and seats")
    shape.add_argument("--csv", action="store_true", help="as CSV, a line for each row")
    give = deeds.add_parser("give", help="write down what the owner gives us of a zone")
    for one in (show, give):
        one.add_argument("event", type=int, metavar="EVENT")
    give.add_argument("zone", type=int, metavar="ZONE")
    what = give.add_mutually_exclusive_group(required=True)
    what.add_argument("--places", type=int, help="so many, whichever of the zone")
    what.add_argument("--rows", help="these rows whole, as FIRST-LAST")
    give.add_argument("--channel", choices=LETTERS, default="any", help="who may sell it; any")
    give.add_argument(
        "--until",
        type=datetime.fromisoformat,
        required=True,
        metavar="YYYY-MM-DDTHH:MM",
        help="when what is unsold goes back, by the hall's clock unless it names an offset",
    )
    give.add_argument("--yes", action="store_true", help="do it; without this it is only told")


def run(args: argparse.Namespace) -> int:
    return told(f"Event {args.event}", _run(args))


async def _run(args: argparse.Namespace) -> int:
    parts = Parts(settings_beside_running())
    db = await parts.db(DB_CONNECTIONS)
    try:
        catalogue, book = Catalogue(db, parts.clock), Allotments(db)
        hall = await Halls(catalogue).hall(args.event)
        if args.deed == "give":
            return await _give(args, book, hall)
        await _show(args, book)
    finally:
        await db.close()
    return 0


async def _give(args: argparse.Namespace, book: Allotments, hall: Hall) -> int:
    until = args.until if args.until.tzinfo else args.until.replace(tzinfo=VENUE_ZONE)
    seats = _seats(hall, args.zone, args.rows) if args.rows else None
    places = args.places if seats is None else len(seats)
    print(f"zone {args.zone}: {places} places, {args.channel}, until {until:%Y-%m-%d %H:%M %Z}")
    if not args.yes:
        print("Nothing is done yet: say --yes.")
        return 1
    given = {"channel": args.channel, "places": places, "seats": seats, "deadline": until}
    await book.give(args.event, args.zone, **given, actor=ACTOR)
    return 0


def _seats(hall: Hall, zone_no: int, rows: str) -> list[int]:
    first, _, last = rows.partition("-")
    zone = hall.zone(zone_no)
    if zone is None or not first.isdecimal() or not (last or first).isdecimal():
        raise NoSuchRows
    chosen = range(int(first), int(last or first) + 1)
    if not chosen or chosen[0] < zone.first_row or chosen[-1] > zone.last_row:
        raise NoSuchRows
    return [seat for row in chosen for seat in hall.seats_of_row(row)]


async def _show(args: argparse.Namespace, book: Allotments) -> None:
    view = await book.view(args.event)
    if args.json:
        print(json.dumps(as_data(view), ensure_ascii=False, indent=2))
    elif args.csv:
        print(as_csv(view), end="")
    elif not view.standings:
        print("All seats of this event are our own, or its partner's.")
    for one in [] if args.json or args.csv else view.standings:
        _tell(one)


def _tell(one: Standing) -> None:
    until = one.deadline.astimezone(VENUE_ZONE)
    kind = "listed" if one.is_listed else f"of {one.seat_count}"
    print(f"zone {one.zone_no} {one.name}: {one.places} places ({kind}), {one.channel}")
    print(f"  until    {until:%Y-%m-%d %H:%M}, {one.state}")
    print(f"  sold     {one.sold:>8} {tenge(one.revenue):>18}")
    print(f"  paying   {one.paying:>8}")
    print(f"  left     {one.left:>8}")
    if one.report is not None:
        report = one.report
        print(f"  REPORT {report.reported_at.astimezone(VENUE_ZONE):%Y-%m-%d %H:%M}")
        print(f"  given    {report.given:>8}")
        print(f"  sold     {report.sold:>8} {tenge(report.revenue):>18}")
        print(f"  returned {report.returned:>8}")
        print(f"  given back since {one.returned_since}")
