"""What the pages of the sales site stand on: the verbs of this context and how to show things."""

import msgspec

from kernel.clock import Clock
from kernel.web.links import Links
from kernel.web.pages import Pages
from sales.admission import Admissions
from sales.catalogue import Catalogue
from sales.entrance import Entrance
from sales.guard import RoomModes
from sales.holds import Holds
from sales.orders import Orders
from sales.payments import Payments
from sales.refunds import Refunds
from sales.seatmap import SeatMaps
from sales.tickets import Tickets


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Handed to every page handler as `site`. `secure_cookies`: only over https."""

    pages: Pages
    links: Links
    clock: Clock
    catalogue: Catalogue
    seatmaps: SeatMaps
    holds: Holds
    orders: Orders
    payments: Payments
    refunds: Refunds
    tickets: Tickets
    admissions: Admissions
    entrance: Entrance
    room_modes: RoomModes
    secure_cookies: bool
