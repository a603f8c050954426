"""Delivery of webhooks: one attempt and up to three more, 1, 2, 4 seconds apart.

The letters of one payment go out in their order, one after the other; different payments do not
wait for each other. Nothing is kept: after the last attempt, or a restart, a letter is gone,
unless the switchboard says to keep them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from uuid import UUID

import structlog
from msgspec import Struct
from prometheus_client import Counter

from sandbox.toleubar.books import Books
from sandbox.toleubar.letters import Forged, headers_of
from sandbox.toleubar.merchant import Merchant
from sandbox.toleubar.postman import Postman, UndeliveredError
from sandbox.toleubar.switchboard import Switchboard

Sleep = Callable[[float], Awaitable[None]]
SUCCESS = range(200, 300)
# The gateway's HTTP client cuts longer settings of the profile to this.
TIMEOUT_MAX_S = 30
# Letters on their way at once; more wait their turn.
DELIVERIES_MAX = 64
# Letters waiting at all. A merchant that takes none for long loses the newest.
WAITING_MAX = 50_000
CLOSING_GRACE_S = 1.0
# Whoever forges signatures does not know the merchant's secret.
FORGER = "not-the-secret"

WEBHOOKS = Counter("toleubar_webhooks", "Webhook letters by what became of them", ["outcome"])
log = structlog.get_logger()


class Letter(Struct, frozen=True):
    """`letter_id` is set when the books keep the letter over a restart."""

    payment_id: str
    url: str
    body: bytes
    letter_id: int | None = None


class Courier:
    def __init__(
        self,
        *,
        books: Books,
        merchant: Merchant,
        switchboard: Switchboard,
        chance: Random,
        sleep: Sleep,
        secret: str | None,
    ) -> None:
        self._books, self._merchant, self._switchboard = books, merchant, switchboard
        self._chance, self._sleep, self._secret = chance, sleep, secret
        self._queues: dict[str, asyncio.Task[None]] = {}
        self._apart: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._room = asyncio.Semaphore(DELIVERIES_MAX)
        self._postman = Postman()

    def post(self, payment_id: str, url: str | None, body: bytes) -> None:
        """Take a letter for delivery and return at once; without an address it goes nowhere."""
        if url is None or not self._merchant.profile.enable_webhooks:
            return
        if self._switchboard.strikes("webhook_loss") or self._waiting >= WAITING_MAX:
            WEBHOOKS.labels("lost").inc()
            return
        keep = self._switchboard.faults.webhook_keep
        letter_id = self._books.keep_letter(payment_id, url, body) if keep else None
        self._start(Letter(payment_id, url, body, letter_id))

    def forge(self, url: str | None, forged: Forged) -> None:
        """Send a letter that the books know nothing of: once, beside the honest ones."""
        if url is None or not self._merchant.profile.enable_webhooks:
            return
        if self._waiting >= WAITING_MAX:
            return
        self._waiting += 1
        self._go_apart(self._deliver_forged(url, forged))

    async def flush(self, payment_id: str) -> None:
        """Wait until the payment's letters are delivered or given up."""
        last = self._queues.get(payment_id)
        if last is not None:
            await asyncio.wait([last])

    def resume(self) -> int:
        """Take up what was kept; returns how many letters."""
        kept = self._books.letters()
        for letter_id, payment_id, url, body in kept:
            self._start(Letter(payment_id, url, body, letter_id))
        return len(kept)

    async def close(self) -> None:
        """Letters already on their way get a moment; then the courier stops."""
        open_tasks = {*self._queues.values(), *self._apart}
        if open_tasks:
            _, late = await asyncio.wait(open_tasks, timeout=CLOSING_GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._postman.close()

    def _start(self, letter: Letter) -> None:
        """Behind the payment's earlier letters, or, when struck by the reorder fault, beside."""
        self._waiting += 1
        faults = self._switchboard.faults
        if self._switchboard.strikes("webhook_reorder"):
            self._go_apart(self._deliver(letter, None, faults.webhook_reorder_s))
            return
        before = self._queues.get(letter.payment_id)
        wait_s = 0.0
        if faults.webhook_delay_max_s:
            stream = self._switchboard.stream("webhook_delay")
            wait_s = stream.uniform(faults.webhook_delay_min_s, faults.webhook_delay_max_s)
        task = asyncio.ensure_future(self._deliver(letter, before, wait_s))
        self._queues[letter.payment_id] = task
        task.add_done_callback(lambda done: self._forget(letter.payment_id, done))

    def _go_apart(self, delivery: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(delivery)
        self._apart.add(task)
        task.add_done_callback(self._apart.discard)

    def _forget(self, payment_id: str, task: asyncio.Task[None]) -> None:
        if self._queues.get(payment_id) is task:
            del self._queues[payment_id]

    async def _deliver(
        self, letter: Letter, before: asyncio.Task[None] | None, wait_s: float
    ) -> None:
        try:
            if before is not None:
                await asyncio.wait([before])
            if wait_s:
                await self._sleep(wait_s)
            copies = 2 if self._switchboard.strikes("webhook_duplicate") else 1
            for _ in range(copies):
                await self._insist(letter)
            if letter.letter_id is not None:
                self._books.drop_letter(letter.letter_id)
        finally:
            self._waiting -= 1

    async def _insist(self, letter: Letter) -> None:
        retries = self._merchant.profile.webhook_retry_attempts
        for attempt in range(1 + retries):
            if attempt:
                await self._sleep(2 ** (attempt - 1))
            if await self._attempt(letter, attempt, self._secret):
                WEBHOOKS.labels("delivered").inc()
                return
        WEBHOOKS.labels("given_up").inc()
        log.warning("webhook given up", payment_id=letter.payment_id, url=letter.url)

    async def _deliver_forged(self, url: str, forged: Forged) -> None:
        secret = self._secret if forged.sealed else FORGER
        try:
            await self._attempt(Letter("", url, forged.body), 0, secret)
            WEBHOOKS.labels("forged").inc()
        finally:
            self._waiting -= 1

    async def _attempt(self, letter: Letter, attempt: int, secret: str | None) -> bool:
        delivery = UUID(int=self._chance.getrandbits(128), version=4)
        timeout_s = min(self._merchant.profile.webhook_timeout_seconds, TIMEOUT_MAX_S)
        try:
            async with self._room, asyncio.timeout(timeout_s):
                headers = headers_of(letter.body, delivery, secret)
                status = await self._postman.post(letter.url, letter.body, headers)
        except (UndeliveredError, TimeoutError) as error:
            WEBHOOKS.labels("failed_attempt").inc()
            log.info("webhook not taken", url=letter.url, attempt=attempt, error=repr(error))
            return False
        taken = status in SUCCESS
        if not taken:
            WEBHOOKS.labels("failed_attempt").inc()
        return taken
