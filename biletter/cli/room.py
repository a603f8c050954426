"""biletter room"""

import argparse
import asyncio
from typing import Any

from admin.audit import Audit, room_subject
from admin.consent import reason_of
from admin.restarts import Restarts, Standing
from biletter.cli.surroundings import settings_beside_running
from biletter.parts import Parts
from biletter.trouble import Trouble
from kernel.errors import Refusal
from waitingroom.room import Rooms
from waitingroom.settings import changed

ACTOR = "cli"
DB_CONNECTIONS = 1


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "room",
        help="show who stands in an event's line, or start it anew",
        description="What the console does with a room's line, for when there is no console.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
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
    for one in (show, restart, outside):
        one.add_argument("event", type=int, metavar="EVENT")
    restart.add_argument("--reason", required=True, help="for the audit, 3 to 300 characters")
    value = outside.add_mutually_exclusive_group(required=True)
    value.add_argument("--value", help="as the named source tells it")
    value.add_argument("--none", action="store_true", help="draw without it")
    restart.add_argument("--yes", action="store_true", help="do it; without this it is only told")


def run(args: argparse.Namespace) -> int:
    try:
        return asyncio.run(_run(args))
    except Refusal as refusal:
        raise Trouble(f"Event {args.event}: {refusal.detail} ({refusal.code})") from refusal


async def _run(args: argparse.Namespace) -> int:
    parts = Parts(settings_beside_running())
    db, rooms = await parts.db(DB_CONNECTIONS), parts.rooms()
    audit = Audit(db, parts.clock)
    restarts = Restarts(rooms, audit)
    try:
        if args.deed == "outside":
            return await _give_outside(rooms, audit, args)
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


async def _give_outside(rooms: Rooms, audit: Audit, args: argparse.Namespace) -> int:
    before = await rooms.settings(args.event)
    if not before.awaits_draw:
        raise Trouble(f"Event {args.event}: no lottery is to come.")
    changes = {"without_outside": True} if args.none else {"outside": args.value}
    changed(before, changes)  # a wrong one is refused before it is written down
    subject = room_subject(args.event)
    async with audit.deed(ACTOR, "room.configure", subject, before={}, after=changes):
        await rooms.configure(args.event, changes, ACTOR)
    print("The lottery is drawn at its opening; at once, if that has come.")
    return 0


def _line(one: Standing) -> str:
    invited = f", {one.invited} of them invited" if one.invited else ""
    return (
        f"{one.event} {one.title or '(no title)'}: {one.state}, line {one.generation},"
        f" {one.waiting} wait{invited}, {one.living} heard from, {one.in_flight} inside"
    )
