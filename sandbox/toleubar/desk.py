"""What every verb of the gateway works with, and the two things they all do: look a payment up,
and move it on while telling the merchant.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

from msgspec import Struct
from prometheus_client import Counter

from kernel.clock import Clock
from kernel.web.links import Links
from sandbox.toleubar.books import Books
from sandbox.toleubar.courier import Courier, Sleep
from sandbox.toleubar.faults import FORGERIES
from sandbox.toleubar.letters import write_forged, write_transition
from sandbox.toleubar.manners import MANNERS, Manners
from sandbox.toleubar.memory import Memory
from sandbox.toleubar.merchant import Merchant
from sandbox.toleubar.payment import Payment
from sandbox.toleubar.refusals import TokenInvalid
from sandbox.toleubar.states import MOVES, Status
from sandbox.toleubar.switchboard import Switchboard
from sandbox.toleubar.tokens import Credentials, accepts

PAYMENTS = Counter("toleubar_payments", "Payments by the status they came to", ["status"])


class Ask(Struct, frozen=True):
    """What a call brings besides its fields. `base` is the address of this gateway as the payer
    will see it; `query` takes part in the token.
    """

    base: str
    query: Mapping[str, str]


class Desk(Struct, frozen=True, kw_only=True):
    who: Credentials
    books: Books
    merchant: Merchant
    switchboard: Switchboard
    courier: Courier
    clock: Clock
    chance: Random
    sleep: Sleep
    memory: Memory
    links: Links
    # The address of this gateway as payers see it; None: by the host that init was sent to.
    public_base_url: str | None
    # Cards in work by payment id; a repeated form post waits for the first.
    cards: dict[str, asyncio.Task[Payment]]

    @property
    def manners(self) -> Manners:
        return MANNERS[self.switchboard.faults.profile]

    def verify(self, team_slug: str, token: str, tokens: tuple[str, ...]) -> None:
        """Raises TokenInvalid, also for a merchant who is unknown."""
        if team_slug != self.who.team_slug or not accepts(token, tokens):
            raise TokenInvalid

    def find(self, payment_id: str) -> Payment | None:
        return self._lapsed(self.books.find(payment_id))

    def find_order(self, order_id: str) -> Payment | None:
        return self._lapsed(self.books.find_order(self.who.team_slug, order_id))

    def move(self, payment: Payment, status: Status, cause: str, *, tell: bool = True) -> Payment:
        """The payment as it stands afterwards: in `status`, or where somebody else moved it
        first; only our own move is told to the merchant.
        """
        moved = self.books.move(payment, status, self.clock.ms(), cause)
        if moved is None:
            stands = self.books.find(payment.payment_id)
            return stands or payment
        PAYMENTS.labels(status).inc()
        if tell:
            self.tell(moved)
        return moved

    def tell(self, payment: Payment) -> None:
        self.post(payment, write_transition(payment))

    def post(self, payment: Payment, body: bytes) -> None:
        given = payment.notification_url if self.manners.uses_given_addresses else None
        url = given or self.merchant.profile.notification_url
        self.courier.post(payment.payment_id, url, body)
        for forgery in FORGERIES:
            if self.switchboard.strikes(forgery):
                stream = self.switchboard.stream(forgery)
                self.courier.forge(url, write_forged(payment, forgery, self.clock.ms(), stream))

    async def wait_for_merchant(self, payment: Payment) -> None:
        """Where deliveries are synchronous, the payer waits for them here."""
        if self.switchboard.faults.webhook_wait:
            await self.courier.flush(payment.payment_id)

    def expire(self) -> int:
        """Expire what is due, one page of it; returns how many."""
        if not self.manners.expires:
            return 0
        due = [payment for payment in self.books.due(self.clock.ms()) if self._may_lapse(payment)]
        for payment in due:
            self.move(payment, Status.EXPIRED, "expired")
        return len(due)

    def today(self) -> datetime:
        return self.clock.now().astimezone(UTC)

    def _lapsed(self, payment: Payment | None) -> Payment | None:
        """Nobody sees a payment alive after its time, however slow the sweep is."""
        if payment is None or not self.manners.expires:
            return payment
        if payment.expires_ms > self.clock.ms() or not self._may_lapse(payment):
            return payment
        return self.move(payment, Status.EXPIRED, "expired")

    def _may_lapse(self, payment: Payment) -> bool:
        """A card in work is waited for."""
        return Status.EXPIRED in MOVES[payment.status] and payment.payment_id not in self.cards
