"""Which room a request means, and whose entry it carries."""

from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

from kernel.subjects import subject_of
from kernel.values import ID_MAX
from kernel.web.links import Links, safe_return
from waitingroom.entries import Entry, NoEntry
from waitingroom.room import Rooms
from waitingroom.settings import RoomSettings
from waitingroom.store import RoomUnknown

SCHEME = "entry "
# A line is over long before this; the cookie of an old one is refused by its generation.
COOKIE_LIFE_S = 7 * 24 * 3600
ID_DIGITS_MAX = 16

AnyRequest = Request[Any, Any, Any]


def event_of(text: str) -> int:
    """The event's id out of an address, or RoomUnknown for whatever is no id of ours."""
    if not (text.isascii() and text.isdecimal()) or len(text) > ID_DIGITS_MAX:
        raise RoomUnknown
    event = int(text)
    if not 0 < event <= ID_MAX:
        raise RoomUnknown
    return event


def cookie_of(event: int) -> str:
    return f"biletter_entry_{event}"


def pass_cookie_of(event: int) -> str:
    """Set by sales, once the pass was used."""
    return f"biletter_pass_{event}"


def entry_in_header(authorization: str | None) -> str | None:
    """`Authorization: Entry <entry>`."""
    if not authorization or authorization[: len(SCHEME)].lower() != SCHEME:
        return None
    return authorization[len(SCHEME) :].strip()


def entry_of(request: AnyRequest, rooms: Rooms, event: int) -> Entry:
    """The entry in the header, else in the cookie. Raises NoEntry, EntryForged, EntryForeign."""
    token = entry_in_header(request.headers.get("authorization"))
    token = token or request.cookies.get(cookie_of(event))
    if not token:
        raise NoEntry
    return rooms.book.read(token, event)


def device_subject(request: AnyRequest, rooms: Rooms) -> str | None:
    """The subject of this very browser, whoever has signed in on it."""
    device = request.scope.get("device")
    if not isinstance(device, str):
        return None
    return subject_of(rooms.keyring.secret("subject"), "device", device)


def hand_entry(response: Response[Any], event: int, token: str, *, secure: bool) -> None:
    """Set the cookie; an empty token removes it."""
    cookie = Cookie(
        cookie_of(event),
        value=token,
        max_age=COOKIE_LIFE_S if token else 0,
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
    )
    response.set_cookie(cookie)


def is_of_site(links: Links, settings: RoomSettings) -> bool:
    """Whether the room's event is on a site of somebody else's that the room may lead to."""
    return bool(settings.site_url) and links.leads_to_site(settings.site_url)


def event_page(links: Links, host: str, event: int, settings: RoomSettings) -> str:
    """Where the event is: on the room's site, else in the shop, else on the only site that there
    is. Empty: nobody has said.
    """
    if is_of_site(links, settings):
        return settings.site_url
    if links.has_shop:
        return f"{links.base('sales', host)}/events/{event}"
    return links.home


def return_address(
    request: AnyRequest, links: Links, event: int, asked: str | None, settings: RoomSettings
) -> str:
    """Where the visitor wants to be in the end: an address of ours or of a site that the room
    stands before, else the event's page. A bare path is one of the shop. Empty: nobody has said.
    """
    if asked and links.leads_to_site(asked):
        return asked
    host = host_of(request)
    page = event_page(links, host, event, settings)
    if not links.has_shop:
        return page
    address = safe_return(asked, page, links, host)
    return links.base("sales", host) + address if address.startswith("/") else address


def enter_address(request: AnyRequest, links: Links, event: int, return_to: str) -> str:
    """Where the form with the pass goes: to the shop, or by us to the site that is meant. Empty:
    there is nowhere to go.
    """
    if not return_to:
        return ""
    if links.leads_to_site(return_to):
        return f"/queue/{event}/onward"
    return links.to("sales", request, "/enter")


def pass_address(links: Links, host: str, event: int, settings: RoomSettings) -> str | None:
    """Where a program takes its pass: the shop's own entrance, or the event's page on its site."""
    if links.has_shop and not is_of_site(links, settings):
        return f"{links.base('sales', host)}/enter"
    return event_page(links, host, event, settings) or None


def frame_of(request: AnyRequest, links: Links, settings: RoomSettings) -> dict[str, Any]:
    """What the frame of this room's pages may lead to: nothing of the shop for an event of
    somebody else's.
    """
    if is_of_site(links, settings):
        return {"has_shop": False, "home": settings.site_url}
    return {
        "has_shop": links.has_shop,
        "home": links.to("sales", request) if links.has_shop else links.home,
    }


def host_of(request: AnyRequest) -> str:
    return request.headers.get("host", "localhost")
