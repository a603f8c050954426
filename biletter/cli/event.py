"""biletter event"""

import argparse
from datetime import datetime
from typing import Any

from biletter import urls
from biletter.cli.surroundings import settings_beside_running, told
from biletter.parts import Parts
from biletter.shop import NobodyAsks, Shop
from kernel.values import tenge
from sales.catalogue import Event
from sales.event_rows import VENUE_ZONE

ACTOR = "cli"
DB_CONNECTIONS = 1


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "event",
        help="cancel an event, move it, or connect it to the partner who owns its seats",
        description="What changes under an event that is on sale. The worker does the rest.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    cancel = deeds.add_parser(
        "cancel",
        help="cancel it and give everybody's money back",
        description="Ends every order that is not paid, and gives the money of every paid one back"
        " in full. Said again, it tries the orders that failed once more.",
    )
    move = deeds.add_parser(
        "move",
        help="move it to another time; tickets stay good",
        description="Tickets stay good, and may be returned without a fee for at least three days.",
    )
    partner = deeds.add_parser(
        "partner",
        help="have its seats sold by the partner who owns them",
        description="Reads the partner's places and lays them upon the event's hall, row by row."
        " From then on every seat is asked for there. Said again, the places are read anew.",
    )
    partner.add_argument(
        "--url", type=urls.web, help="the partner's address; EVENT_PROVIDER if not given"
    )
    progress = deeds.add_parser("progress", help="print how far the refunds of a cancelled one are")
    for one in (cancel, move, partner, progress):
        one.add_argument("event", type=int, metavar="EVENT")
    move.add_argument(
        "starts_at",
        type=datetime.fromisoformat,
        metavar="YYYY-MM-DDTHH:MM",
        help="the new beginning, by the hall's clock unless it names an offset",
    )
    for one in (cancel, move, partner):
        one.add_argument("--yes", action="store_true", help="do it; without this it is only told")


def run(args: argparse.Namespace) -> int:
    return told(f"Event {args.event}", _run(args))


async def _run(args: argparse.Namespace) -> int:
    parts, nobody = Parts(settings_beside_running()), NobodyAsks()
    shop = Shop(parts, await parts.db(DB_CONNECTIONS), parts.redis_shop(), nobody, nobody)
    try:
        event = await shop.catalogue.event(args.event)
        if args.deed == "progress":
            await _tell(shop, event.id)
            return 0
        print(_line(event))
        if not args.yes:
            print("Nothing is done yet: say --yes.")
            return 1
        if args.deed == "cancel":
            if not await shop.cancellations.cancel(event.id, ACTOR):
                await shop.cancellations.try_again(event.id, ACTOR)
            await _tell(shop, event.id)
        elif args.deed == "partner":
            halls = shop.partner_side.halls(shop.holds.store.halls)
            count = await halls.connect(event.id, args.url, ACTOR)
            print(f"{count} seats are the partner's")
        else:
            await shop.reschedules.move(event.id, _aware(args.starts_at), ACTOR)
            print(_line(await shop.catalogue.event(event.id)))
    finally:
        await shop.close()
    return 0


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=VENUE_ZONE)


def _line(event: Event) -> str:
    begins = event.starts_at.astimezone(VENUE_ZONE)
    return f"{event.id} {event.title}, {event.hall}: {begins:%Y-%m-%d %H:%M}, {event.state}"


async def _tell(shop: Shop, event_id: int) -> None:
    told = await shop.cancellations.progress(event_id)
    print(f"unpaid orders to end  {told.unpaid:>8}")
    print(f"orders to give back   {told.total:>8}")
    print(f"  given back          {told.done:>8} {tenge(told.amount_done):>18}")
    print(f"  at the gateway      {told.on_the_way:>8}")
    print(f"  queued for payout   {told.queued:>8}")
    print(f"  not yet             {told.paid - told.failed:>8}")
    print(f"  failed              {told.failed:>8}")
    for one in await shop.cancellations.failures(event_id):
        print(f"FAILED order {one.order_id}, {tenge(one.total)}: {one.error}")
