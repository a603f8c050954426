"""The room's answer to "may this account in without a place", over HTTP (see sales.room_desk)."""

import httpx
import msgspec

from kernel.service_tokens import ServiceTokens
from sales.room_desk import Busy, Let, RoomAway

# A program waits no longer for an answer that the room has at once or not at all.
TIMEOUT_S = 2.0
CONNECTIONS_MAX = 32
ROOM = "waitingroom"
CREATED, CONFLICT = 201, 409


class Admission(msgspec.Struct):
    token: str = msgspec.field(name="pass")
    jti: str


class Refusal(msgspec.Struct):
    code: str
    reason: str = ""
    retry_ms: int = 1_000


class HttpRoomDesk:
    def __init__(self, base: str, tokens: ServiceTokens) -> None:
        self._tokens = tokens
        limits = httpx.Limits(
            max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX
        )
        self._client = httpx.AsyncClient(base_url=base, timeout=TIMEOUT_S, limits=limits)

    async def admit(self, event_id: int, subject: str, over: str | None) -> Let | Busy | None:
        """See sales.room_desk.RoomDesk."""
        asked = {"event": event_id, "subject": subject, "over": over}
        try:
            answer = await self._client.post(
                "/service/admissions", json=asked, headers=self._tokens.header(ROOM)
            )
            return _said(answer)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise RoomAway from error

    async def close(self) -> None:
        await self._client.aclose()


def _said(answer: httpx.Response) -> Let | Busy | None:
    """Raises RoomAway for whatever is neither yes nor no."""
    if answer.status_code == CREATED:
        let = msgspec.json.decode(answer.content, type=Admission)
        return Let(let.token, let.jti)
    if answer.status_code != CONFLICT:
        raise RoomAway
    refusal = msgspec.json.decode(answer.content, type=Refusal)
    if refusal.code == "room-off":
        return None
    return Busy(refusal.reason or refusal.code, refusal.retry_ms)
