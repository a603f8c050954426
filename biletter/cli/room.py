"""biletter room"""

import argparse
from collections.abc import Collection
from typing import Any

from admin.audit import Audit, room_subject
from admin.consent import reason_of
from admin.restarts import Restarts, Standing
from admin.throttle import check_site, read_changes
from biletter.cli.surroundings import settings_beside_running, told
from biletter.parts import Parts
from biletter.trouble import Trouble
from kernel.values import ID_MAX
from waitingroom.room import Rooms
from waitingroom.settings import RoomSettings, changed

ACTOR = "cli"
DB_CONNECTIONS = 1


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "room",
        help="open an event's room, show its line, start it anew, give its lottery a value",
        description="What the console does with a room's line, for when there is no console.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    opened = _opening(deeds)
    show = deeds.add_parser("show", help="print how many wait and how many are inside")
    restart = deeds.add_parser(
        "restart",
        help="start the line anew; every number given so far is void",
        description="Everybody who waits loses their place and may join anew, by one click. Those"
        " inside stay inside. Nothing gives the old numbers back.",
    )
    outside = deeds.add_parser(
        "outside",
        help="give the lottery its value from outside",
        description="A lottery whose source was named waits for its value. With --none it is drawn"
        " without, which everybody is told.",
    )
    setting = deeds.add_parser(
        "set",
        help="change settings, as the console does",
        description="For example: room set 7 rate_per_minute=120 state=paused 'message=At noon'.",
    )
    for one in (opened, show, restart, outside, setting):
        one.add_argument("event", type=int, metavar="EVENT")
    restart.add_argument("--reason", required=True, help="for the audit, 3 to 300 characters")
    value = outside.add_mutually_exclusive_group(required=True)
    value.add_argument("--value", help="as the named source tells it")
    value.add_argument("--none", action="store_true", help="draw without it")
    setting.add_argument("changes", nargs="+", metavar="NAME=VALUE")
    restart.add_argument("--yes", action="store_true", help="do it; without this it is only told")


def _opening(deeds: Any) -> Any:
    opened = deeds.add_parser(
        "open",
        help="give an event a room",
        description="The event may be of any site: its number is all that the room and the site"
        " have to agree on. A room that is there already is left as it is.",
    )
    opened.add_argument("--title", default="", help="the event's name on the queue page")
    opened.add_argument(
        "--site",
        default="",
        metavar="URL",
        help="the event's page on another site, one of BILETTER_SITES; without it the event is"
        " the shop's, or of the only site there is",
    )
    opened.add_argument("--rate", type=int, default=600, help="let in a minute (%(default)s)")
    opened.add_argument("--ceiling", type=int, default=2000, help="inside at once (%(default)s)")
    opened.add_argument(
        "--pass-seconds", type=int, default=180, help="how long a pass may be used (%(default)s)"
    )
    return opened


def run(args: argparse.Namespace) -> int:
    return told(f"Event {args.event}", _run(args))


async def _run(args: argparse.Namespace) -> int:
    settings = settings_beside_running()
    parts = Parts(settings)
    db, rooms = await parts.db(DB_CONNECTIONS), parts.rooms()
    audit = Audit(db, parts.clock)
    restarts = Restarts(rooms, audit)
    try:
        if args.deed == "open":
            return await _open(rooms, audit, args, settings.sites)
        if args.deed in ("outside", "set"):
            return await _change(rooms, audit, args, settings.sites)
        standing = await restarts.standing(args.event)
        print(_line(standing))
        if args.deed == "show":
            return 0
        reason = reason_of(args.reason)
        if not args.yes:
            print(f"Nothing is done yet: say --yes, and {standing.waiting} lose their place.")
            return 1
        await restarts.restart(standing, reason, ACTOR)
        print(f"{standing.waiting} lost their place.")
        print(_line(await restarts.standing(args.event)))
    finally:
        await rooms.close()
        await db.close()
    return 0


async def _open(
    rooms: Rooms, audit: Audit, args: argparse.Namespace, sites: Collection[str]
) -> int:
    if not 0 < args.event <= ID_MAX:
        raise Trouble(f"An event's number is from 1 to {ID_MAX}.")
    told = {"title": args.title, "rate_per_minute": args.rate, "ceiling": args.ceiling}
    told |= {"pass_seconds": args.pass_seconds, "site_url": args.site}
    settings = changed(RoomSettings(), told)
    check_site(told, sites)
    if args.event in await rooms.all_events():
        raise Trouble(f"Event {args.event} has a room; its console changes it.")
    async with audit.deed(ACTOR, "room.open", room_subject(args.event), after=told):
        await rooms.open(args.event, settings)
    print(f"Event {args.event} has a room: /queue/{args.event} on the waiting room's address.")
    return 0


async def _change(
    rooms: Rooms, audit: Audit, args: argparse.Namespace, sites: Collection[str]
) -> int:
    before = await rooms.settings(args.event)
    if args.deed == "set":
        pairs = [one.partition("=") for one in args.changes]
        changes = read_changes({name.strip(): text for name, _, text in pairs})
    elif not before.awaits_draw:
        raise Trouble(f"Event {args.event}: no lottery is to come.")
    else:
        changes = {"without_outside": True} if args.none else {"outside": args.value}
    changed(before, changes)  # a wrong one is refused before it is written down
    check_site(changes, sites)
    was = {name: getattr(before, name) for name in changes}
    subject = room_subject(args.event)
    async with audit.deed(ACTOR, "room.configure", subject, before=was, after=changes):
        await rooms.configure(args.event, changes, ACTOR)
    print(f"Event {args.event}: changed {', '.join(changes)}.")
    return 0


def _line(one: Standing) -> str:
    invited = f", {one.invited} of them invited" if one.invited else ""
    return (
        f"{one.event} {one.title or '(no title)'}: {one.state}, line {one.generation},"
        f" {one.waiting} wait{invited}, {one.living} heard from, {one.in_flight} inside"
    )
