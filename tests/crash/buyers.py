"""Buyers, who live outside: they remember what they saw, and come back or don't."""

from dataclasses import dataclass, field

from kernel.errors import Refusal
from tests.bank import BAD_CARD, GOOD_CARD, payment_of
from tests.crash.world import DiedError, Work, World
from tests.flow.shop import BASE, BEK, Shop

# A page that did not answer is loaded again after this long, at most so often.
PATIENCE_S = 15
RELOADS_MAX = 6


@dataclass
class Buyer:
    """`returns`: after a page that never came, the buyer loads it again."""

    world: World
    seats: tuple[int, ...] = (0, 1)
    account: int = BEK
    returns: bool = True
    order_id: int = 0
    form: str = ""
    refused: list[str] = field(default_factory=list)
    has_paid: bool = False

    async def choose(self) -> bool:
        """Open an order and hold the seats."""

        async def hold(shop: Shop) -> None:
            event = shop.event_id
            await shop.holds.hold(event, self.order_id, self.account, list(self.seats))

        return await self._do(self._open) and await self._do(hold)

    async def choose_best(self, zone: int, count: int) -> bool:
        async def hold(shop: Shop) -> None:
            await shop.holds.hold_best(shop.event_id, self.order_id, self.account, zone, count)

        return await self._do(self._open) and await self._do(hold)

    async def release(self, seats: list[int] | None) -> bool:
        """Of an order being chosen; None: all."""

        async def release(shop: Shop) -> None:
            await shop.holds.release(shop.event_id, self.order_id, self.account, seats)

        return await self._do(release)

    async def check_out(self) -> bool:
        """Place the order; loads the page until there is a form to pay at."""

        async def place(shop: Shop) -> None:
            checkout = await shop.orders.place(self.order_id, self.account, BASE)
            self.form = checkout.payment_url or ""

        for _ in range(RELOADS_MAX):
            if not await self._do(place):
                return False
            if self.form or not self.returns:
                break
            self.world.clock.advance(PATIENCE_S)
            await self.world.beat()
        return bool(self.form)

    async def pay(self, card: str = GOOD_CARD) -> None:
        """At the gateway, which is none of our processes."""
        if self.form:
            await self.world.bank.pay(payment_of(self.form), card)
            self.has_paid = card != BAD_CARD

    async def webhook(self, status: str = "AUTHORIZED") -> bool:
        """The gateway tells us. Where it gets no answer it tells again."""
        body, signature = self.world.bank.letter(payment_of(self.form), status)

        async def tell(shop: Shop) -> None:
            await shop.payments.notification(body, signature)

        return await self._do(tell)

    async def come_back(self) -> bool:
        async def look(shop: Shop) -> None:
            await shop.payments.hurry(self.order_id)

        return await self._do(look)

    async def cancel(self) -> bool:
        async def cancel(shop: Shop) -> None:
            await shop.orders.cancel(self.order_id, self.account)

        return await self._do(cancel)

    async def give_back(self, *seats: int) -> bool:
        """Return the tickets of these seats, or all."""

        async def ask(shop: Shop) -> None:
            tickets = await shop.tickets.of_order(self.order_id)
            chosen = [ticket.id for ticket in tickets if ticket.seat in seats] or None
            await shop.refunds.ask(self.order_id, self.account, chosen)

        return await self._do(ask)

    async def _open(self, shop: Shop) -> None:
        order = await shop.orders.open_or_reuse(self.account, shop.event_id, "web")
        self.order_id = order.id

    async def _do(self, work: Work[None]) -> bool:
        """False: refused, or the page never came and the buyer has had enough."""
        for _ in range(RELOADS_MAX):
            try:
                await self.world.as_("web", work)
            except DiedError:
                if not self.returns:
                    return False
                self.world.clock.advance(PATIENCE_S)
                await self.world.beat()
            except Refusal as refusal:
                self.refused.append(refusal.code)
                return False
            else:
                return True
        return False
