"""Payments: one attempt at the gateway each, in phases that continue from any point.

The gateway is asked (`settle`), never believed: webhooks and return addresses only make us ask
now. A capture is written together with its tickets; money without an order that can have its
seats goes back.
"""

from datetime import datetime
from typing import ClassVar, Protocol

import msgspec

from kernel.errors import BadInput


class BadSignature(BadInput):
    """Подпись уведомления неверна."""

    code: ClassVar[str] = "bad-signature"


class BadNotification(BadInput):
    """Уведомление составлено неверно."""

    code: ClassVar[str] = "bad-notification"


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` in tiyn. States: see sales.states.PAYMENT_STATES."""

    id: int
    order_id: int
    attempt: int
    gateway_order_id: str
    gateway_payment_id: str | None
    amount: int
    state: str
    version: int
    payment_url: str | None
    return_base: str
    expires_at: datetime
    created_at: datetime
    last_error: str | None


class Payments(Protocol):
    """What pages and API call; being built, the class of this name will have these verbs."""

    async def of_order(self, order_id: int) -> Payment | None:
        """The newest attempt; None before the order was placed."""
        ...

    async def hurry(self, order_id: int) -> None:
        """A browser came back from the gateway: ask it now, for at most a few seconds. Tells
        nothing; read the order afterwards. Raises OrderUnknown. Never raises for the gateway.
        """
        ...

    async def notification(self, body: bytes, signature: str | None) -> None:
        """A webhook, as its raw body and X-Webhook-Signature header. Answers within milliseconds:
        what it says is asked by a worker. Unknown payments are ignored. Raises BadSignature,
        BadNotification.
        """
        ...
