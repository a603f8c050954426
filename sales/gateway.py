"""What payments need of an integrator, in the words of ToleuBar's contract (§2).

Every call has three kinds of outcome: done, refused, and unknown. Unknown (silence, 5xx, an
answer that cannot be read) is never tried again blindly: whoever called asks `check` first.
Amounts are whole tiyn. The client is sales.gateway_toleubar, used through sales.gateway_careful.
"""

from typing import Final, Literal, Protocol

import msgspec

# What init accepts (§2.1); the upper bound is its request model's, about 21 million tenge.
AMOUNT_MIN: Final = 1_000
AMOUNT_MAX: Final = 2_147_483_647
Call = Literal["init", "check", "confirm", "cancel"]
CALLS: Final[tuple[Call, ...]] = ("init", "check", "confirm", "cancel")


class Offered(msgspec.Struct, frozen=True, tag=True):
    """The payment exists; the buyer pays at `payment_url`."""

    payment_id: str
    payment_url: str


class Found(msgspec.Struct, frozen=True, tag=True):
    """What the gateway knows. `status` may be a name that the contract does not list."""

    payment_id: str
    order_id: str
    status: str
    amount: int


class Accepted(msgspec.Struct, frozen=True, tag=True):
    """Carried out; `status` as told, which for a real confirm stays AUTHORIZED (§1.4)."""

    status: str


class Refused(msgspec.Struct, frozen=True, tag=True):
    """A clear no. `code` is the contract's (§9), or 'http-<status>' where there was none."""

    code: str
    message: str = ""


class Unknown(msgspec.Struct, frozen=True, tag=True):
    """It may or may not have been carried out. `is_trouble`: the gateway is not well. `wait_s` not
    0: it was not even asked, because it is to be left alone for so long.
    """

    reason: str
    is_trouble: bool = True
    wait_s: float = 0.0


class Gateway(Protocol):
    """What payments need of an integrator."""

    async def init(
        self, *, order_id: str, amount: int, description: str, expiry_min: int, urls: "ReturnUrls"
    ) -> Offered | Refused | Unknown: ...

    async def check(
        self, *, payment_id: str | None, order_id: str
    ) -> Found | Refused | Unknown: ...

    async def confirm(
        self, *, payment_id: str, amount: int, key: str
    ) -> Accepted | Refused | Unknown: ...

    async def cancel(
        self, *, payment_id: str, reason: str, key: str
    ) -> Accepted | Refused | Unknown: ...

    def form_url(self, payment_id: str) -> str: ...

    def away_s(self, call: Call) -> float:
        """How long the gateway is to be left alone with calls of this kind; 0: not at all."""
        ...

    def is_slow(self, call: Call) -> bool:
        """Whether calls of this kind often have to be repeated now, or take long."""
        ...


class ReturnUrls(msgspec.Struct, frozen=True):
    """Where the browser and the webhooks go; a real gateway only echoes them (§1.2)."""

    success: str
    fail: str
    notification: str
