"""Settings: read once from the environment, in the composition root, and passed down in parts."""

import os
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from biletter import urls
from kernel.web.networks import Network
from waitingroom.rules import RULES

ROOT = Path(__file__).resolve().parent.parent
# In the order of their ports. The last three answer only health and metrics.
DUTIES_WITH_A_PORT = (
    "sales",
    "waitingroom",
    "admin",
    "toleubar",
    "provider",
    "worker",
    "relay",
    "ticker",
)
WEB_DUTIES = DUTIES_WITH_A_PORT[:5]
PORT_MAX = 65_535 - len(DUTIES_WITH_A_PORT)
RoomMode = Literal["on", "off", "auto"]
Owner = Literal["own", "partner"]


class SettingsError(Exception):
    """One clear sentence for whoever starts the service; no traceback."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field says "None", the meaning of absence is given."""

    # First of eight consecutive ports, in the order of DUTIES_WITH_A_PORT.
    port: int = 8080
    # Address to listen on. Only this machine unless somebody decides otherwise.
    bind: str = "127.0.0.1"
    # Folder of everything that must outlive a stop: engines' data, keys, logs.
    data: Path = ROOT / "var"
    # None: local engines, started by `biletter up`, are used.
    redis_rooms_url: str | None = None
    redis_shop_url: str | None = None
    # A Redis of its own for the room of an event: REDIS_ROOM_<event>_URL.
    redis_room_urls: dict[int, str] = {}
    database_url: str | None = None
    # Event 1's room. None: what the room itself remembers, or its default at first start.
    room_mode: RoomMode | None = None
    room_rate_per_minute: int | None = None
    room_ceiling: int | None = None
    # Places one person may hold and own of event 1. None: no limit.
    person_limit: int | None = None
    # Who owns the seats of event 1.
    event1: Owner = "own"
    # Whether POST /api/reset may drop all orders. On in the demo, off in production.
    reset_allowed: bool = True
    # Whether GET /api/events answers {success,count,events} instead of the bare array.
    events_envelope: bool = False
    # Whether there is a shop beside the room. Off: the room stands alone before other people's
    # sites, and nothing leads to a shop.
    shop: bool = True
    # Names besides localhost under which browsers reach this machine.
    hosts: frozenset[str] = frozenset()
    # Origins ("https://shop.example") of other people's sites that the waiting room stands before.
    sites: frozenset[str] = frozenset()
    # Proxies whose X-Forwarded-For is believed, and networks that the door of the waiting room
    # counts nothing against.
    trusted_proxies: frozenset[Network] = frozenset()
    allowed_networks: frozenset[Network] = frozenset()
    # Rules at the door (waitingroom.abuse.RULES) that refuse nobody and only count.
    count_only: frozenset[str] = frozenset()
    # Public addresses by duty, where a proxy stands in front.
    public: dict[str, str] = {}
    # Whether cookies carry `Secure`: on behind https.
    secure_cookies: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    merchant_slug: str = "toleubar-demo"
    merchant_password: str = "Kokdala-2025!"  # noqa: S105  # the sandbox's own, not a secret
    webhook_secret: str = "whsec-demo-123"  # noqa: S105  # the sandbox's own, not a secret
    # None: the sandbox ToleuBar of this installation.
    payment_endpoint: str | None = None
    # Whether the partner's stand-in takes places in bulk and resets, which no real partner does.
    provider_extras: bool = True
    # What each process that calls the gateway (sales, worker) may use of it: calls a second, and
    # calls at once.
    gateway_rate: int = 1_000
    gateway_at_once: int = 64
    # Where the seats of events are asked for whose partner has no address of its own. None: the
    # stand-in of this installation.
    provider_endpoint: str | None = None
    # What each process may use of one partner: calls a second, and calls at once.
    provider_rate: int = 200
    provider_at_once: int = 16

    def port_of(self, duty: str) -> int:
        return self.port + DUTIES_WITH_A_PORT.index(duty)

    @property
    def keys(self) -> Path:
        return self.data / "keys"

    @property
    def gateway_url(self) -> str:
        return self.payment_endpoint or f"http://127.0.0.1:{self.port_of('toleubar')}"

    @property
    def provider_url(self) -> str:
        """May hold `{event}`: an address for each event."""
        local = f"http://127.0.0.1:{self.port_of('provider')}/event/{{event}}/event-provider"
        return self.provider_endpoint or local


# Environment variable → field.
NAMES = {
    "BILETTER_PORT": "port",
    "BILETTER_BIND": "bind",
    "BILETTER_DATA": "data",
    "REDIS_ROOMS_URL": "redis_rooms_url",
    "REDIS_SHOP_URL": "redis_shop_url",
    "DATABASE_URL": "database_url",
    "BILETTER_ROOM_MODE": "room_mode",
    "BILETTER_ROOM_RATE": "room_rate_per_minute",
    "BILETTER_ROOM_CEILING": "room_ceiling",
    "BILETTER_PERSON_LIMIT": "person_limit",
    "BILETTER_EVENT1": "event1",
    "BILETTER_RESET": "reset_allowed",
    "BILETTER_EVENTS_ENVELOPE": "events_envelope",
    "BILETTER_SHOP": "shop",
    "BILETTER_HOSTS": "hosts",
    "BILETTER_SITES": "sites",
    "BILETTER_TRUSTED_PROXIES": "trusted_proxies",
    "BILETTER_ALLOWED_NETWORKS": "allowed_networks",
    "BILETTER_COUNT_ONLY": "count_only",
    "BILETTER_SECURE_COOKIES": "secure_cookies",
    "BILETTER_LOG_LEVEL": "log_level",
    "MERCHANT_ID": "merchant_slug",
    "MERCHANT_PASSWORD": "merchant_password",
    "MERCHANT_WEBHOOK_SECRET": "webhook_secret",
    "PAYMENT_ENDPOINT": "payment_endpoint",
    "BILETTER_PROVIDER_EXTRAS": "provider_extras",
    "BILETTER_GATEWAY_RATE": "gateway_rate",
    "BILETTER_GATEWAY_AT_ONCE": "gateway_at_once",
    "EVENT_PROVIDER": "provider_endpoint",
    "BILETTER_PROVIDER_RATE": "provider_rate",
    "BILETTER_PROVIDER_AT_ONCE": "provider_at_once",
}
ROOM_URL = re.compile(r"REDIS_ROOM_(.*)_URL", re.DOTALL)
EVENT_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", re.ASCII)
WORDS = {"on": True, "true": True, "yes": True, "1": True}
WORDS |= {"off": False, "false": False, "no": False, "0": False}
SWITCHES = ("reset_allowed", "events_envelope", "secure_cookies", "provider_extras", "shop")
CHOICES = {
    "room_mode": ("on", "off", "auto"),
    "event1": ("own", "partner"),
    "log_level": ("debug", "info", "warning", "error"),
}
# Whole numbers from 1 up to this: what the room and the catalogue can take.
HIGHEST = {
    "room_rate_per_minute": 1_000_000,
    "room_ceiling": 1_000_000,
    "person_limit": 1_000_000,
    "gateway_rate": 100_000,
    "gateway_at_once": 1_000,
    "provider_rate": 10_000,
    "provider_at_once": 1_000,
    "port": PORT_MAX,
}


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings, or SettingsError naming the variable that is wrong."""
    given = os.environ if environment is None else environment
    values: dict[str, object] = {}
    for name, field in NAMES.items():
        text = given.get(name, "").strip()
        if text:
            values[field] = _parse(name, field, text)
    values["redis_room_urls"] = _room_urls(given)
    public = {duty: f"BILETTER_PUBLIC_{duty.upper()}" for duty in DUTIES_WITH_A_PORT}
    values["public"] = {
        duty: _origin(name, given[name].strip())
        for duty, name in public.items()
        if given.get(name, "").strip()
    }
    return Settings(**values)  # type: ignore[arg-type]  # _parse gives each field its type


def _room_urls(given: Mapping[str, str]) -> dict[int, str]:
    """REDIS_ROOM_<event>_URL: an event that is none would be a room that nobody hears of."""
    found = {name: ROOM_URL.fullmatch(name) for name, text in given.items() if text.strip()}
    for name, match in found.items():
        if match and not EVENT_NUMBER.fullmatch(match[1]):
            raise SettingsError(f"{name[:80]!r} names no event: REDIS_ROOM_7_URL is of event 7.")
    return {
        int(match[1]): _address(name, urls.rooms_redis, given[name].strip())
        for name, match in found.items()
        if match
    }


def _address(name: str, read: Callable[[str], str], text: str) -> str:
    try:
        return read(text)
    except ValueError as like:
        raise SettingsError(f"{name} must be {like}, not {urls.shown(text)!r}.") from like


def _parse(name: str, field: str, text: str) -> object:
    if field in URLS:
        return _address(name, URLS[field], text)
    if field == "data":
        return Path(text).expanduser().resolve()
    if field in LISTS:
        parts = [part.strip() for part in text.lower().split(",")]
        return frozenset(LISTS[field](name, part) for part in parts if part)
    if field in SWITCHES:
        if text.lower() not in WORDS:
            raise SettingsError(f"{name} must be on or off, not {text!r}.")
        return WORDS[text.lower()]
    if field in HIGHEST:
        highest = HIGHEST[field]
        if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= highest:
            raise SettingsError(f"{name} must be a whole number from 1 to {highest}, not {text!r}.")
        return int(text)
    choices = CHOICES.get(field)
    if choices and text not in choices:
        raise SettingsError(f"{name} must be one of {', '.join(choices)}, not {text!r}.")
    return text


def _origin(name: str, text: str) -> str:
    origin = text.rstrip("/").lower()
    try:
        is_bare = urls.web(origin) == origin and not urlsplit(origin).path
    except ValueError:
        is_bare = False
    if not is_bare:
        like = "origins like https://shop.example, without a path"
        raise SettingsError(f"{name} must be {like}, not {urls.shown(text)!r}.")
    return origin


def _host(name: str, text: str) -> str:
    if not HOST.fullmatch(text):
        raise SettingsError(f"{name} must be names like shop.example, not {text!r}.")
    return text


def _network(name: str, text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingsError(f"{name} must be networks like 10.0.0.0/8, not {text!r}.") from error


def _rule(name: str, text: str) -> str:
    if text not in RULES:
        raise SettingsError(f"{name}: no rule {text!r}; there are {', '.join(RULES)}.")
    return text


# Fields that are an address, and how it is read.
URLS: dict[str, Callable[[str], str]] = {
    "redis_rooms_url": urls.rooms_redis,
    "redis_shop_url": urls.one_redis,
    "database_url": urls.database,
    "payment_endpoint": urls.web,
    "provider_endpoint": urls.web,
}
# Fields that are told as several words with commas between, and how one word is read.
LISTS: dict[str, Callable[[str, str], object]] = {
    "hosts": _host,
    "sites": _origin,
    "trusted_proxies": _network,
    "allowed_networks": _network,
    "count_only": _rule,
}
