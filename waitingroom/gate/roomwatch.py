"""What the gate must know of the room: its public keys and whether its queue is on. Kept in memory
and renewed in the background; what was known stays while the room doesn't answer.
"""

import asyncio
import time
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FETCH_TIMEOUT_S = 2.0
ANSWER_MAX = 65_536
# The room may answer /status from a cache for a second as well.
STATUS_LIFE_S = 2.0
KEYS_LIFE_S = 60.0
# A key we don't know may be a new one; made-up ones must not become a flood of questions.
UNKNOWN_KEY_EVERY_S = 5.0
# Without an answer for so long the room counts as away.
AWAY_AFTER_S = 15.0

# The body at an address; raises OSError.
Fetch = Callable[[str], Awaitable[bytes]]


class Status(msgspec.Struct):
    state: str


class KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


async def fetch(address: str) -> bytes:
    """Over HTTP, in a thread, with the standard library."""

    def read() -> bytes:
        with urllib.request.urlopen(address, timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310  # RoomWatch looked at the scheme
            body: bytes = answer.read(ANSWER_MAX)
            return body

    async with asyncio.timeout(2 * FETCH_TIMEOUT_S):
        return await asyncio.to_thread(read)


class Known:
    """What stands at one address, as last read."""

    def __init__(
        self,
        address: str,
        read: Callable[[bytes], Any],
        life_s: float,
        fetch: Fetch,
        monotonic: Callable[[], float],
    ) -> None:
        """`read` makes something of the body, or raises ValueError."""
        self._address, self._read, self._life_s = address, read, life_s
        self._fetch, self._monotonic = fetch, monotonic
        self._task: asyncio.Task[None] | None = None
        self._asked_at = float("-inf")
        # While there has been no answer, since the first question.
        self._answered_at: float | None = None
        self.value: Any = None

    async def get(self) -> Any:
        """At once if it is known at all. None: the room has never answered."""
        if self._monotonic() - self._asked_at >= self._life_s:
            self._ask()
        if self.value is None and self._task is not None:
            await asyncio.shield(self._task)
        return self.value

    async def renewed(self, every_s: float) -> Any:
        """Asked for now, unless that was done a moment ago."""
        if self._monotonic() - self._asked_at >= every_s:
            self._ask()
        if self._task is not None:
            await asyncio.shield(self._task)
        return self.value

    def is_away(self) -> bool:
        answered_at = self._answered_at
        late_s = self._asked_at - answered_at if answered_at is not None else 0
        return self.value is None or late_s >= AWAY_AFTER_S

    def _ask(self) -> None:
        if self._task is None:
            self._asked_at = self._monotonic()
            self._task = asyncio.ensure_future(self._renew())

    async def _renew(self) -> None:
        try:
            self.value = self._read(await self._fetch(self._address))
            self._answered_at = self._monotonic()
        except (OSError, ValueError):  # away, or an answer that isn't one: what is known stays
            pass
        finally:
            self._task = None


class RoomWatch:
    """`keys` are the room's JWK set, for a site that must not ask: then every visitor needs a
    pass, whatever the room's mode.
    """

    def __init__(
        self,
        room: str,
        keys: Mapping[str, Any] | None = None,
        *,
        fetch: Fetch = fetch,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not room.startswith(("https://", "http://")):
            raise ValueError(f"The room's address must be http(s)://…, not {room!r}.")
        self._room, self._fetch, self._monotonic = room.rstrip("/"), fetch, monotonic
        self._given = read_keys(msgspec.json.encode(keys)) if keys is not None else None
        address = f"{self._room}/.well-known/jwks.json"
        self._keys = Known(address, read_keys, KEYS_LIFE_S, fetch, monotonic)
        self._states: dict[str, Known] = {}

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        """None: no key of the room's, or none could be had (then `has_keys` is false)."""
        if self._given is not None:
            return self._given.get(kid)
        keys = await self._keys.get()
        if keys is None or kid not in keys:
            keys = await self._keys.renewed(UNKNOWN_KEY_EVERY_S)
        return keys.get(kid) if keys is not None else None

    @property
    def has_keys(self) -> bool:
        return self._given is not None or self._keys.value is not None

    async def is_off(self, event: str) -> bool:
        """Whether the room is known to let everybody by."""
        return self._given is None and await self._state(event).get() == "off"

    def is_away(self, event: str) -> bool:
        return self._given is None and self._state(event).is_away()

    def _state(self, event: str) -> Known:
        if event not in self._states:
            address = f"{self._room}/rooms/{event}/status"
            self._states[event] = Known(
                address, read_state, STATUS_LIFE_S, self._fetch, self._monotonic
            )
        return self._states[event]


def read_state(body: bytes) -> str:
    return msgspec.json.decode(body, type=Status).state


def read_keys(body: bytes) -> dict[str, Ed25519PublicKey]:
    """By key id; keys of other kinds are passed over. Raises ValueError for what is no set."""
    found: dict[str, Ed25519PublicKey] = {}
    for jwk in msgspec.json.decode(body, type=KeySet).keys:
        try:
            key = jwt.PyJWK.from_dict(jwk).key
        except jwt.PyJWTError:
            continue
        if isinstance(key, Ed25519PublicKey) and isinstance(jwk.get("kid"), str):
            found[jwk["kid"]] = key
    return found
