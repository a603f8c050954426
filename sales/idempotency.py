"""Answers kept under a client's own key: a question asked again gets the answer it got.

The claim of a key is committed before the question is answered, the answer after it: whoever dies
in between leaves the key to be taken over, and the verbs behind it can be repeated.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import BadInput, Conflict, Refusal
from kernel.sql import load_queries

Q = load_queries(Path(__file__).parent / "sql")
KEPT_FOR: Final = timedelta(hours=24)
# Longer than an answer takes, and no longer than one whose process died would wait with patience.
CLAIMED_FOR: Final = timedelta(seconds=25)
BODY_BYTES_MAX: Final = 65_536
SWEEP_MAX: Final = 5_000
AGAIN_S: Final = 1


class KeyBad(BadInput):
    """Ключ идемпотентности: до 100 латинских букв, цифр и знаков . _ : -"""

    code = "idempotency-key-bad"


class KeyReused(Refusal):
    """Этот ключ идемпотентности уже был у другого запроса."""

    status, code = 422, "idempotency-key-reused"


class KeyInProgress(Conflict):
    """Запрос с этим ключом ещё выполняется, повторите чуть позже."""

    code = "idempotency-key-in-progress"


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes


class Claim(msgspec.Struct, frozen=True):
    """The question is ours to answer, until then."""

    account_id: int
    key: str
    until: datetime


class Answers:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def claim(self, account_id: int, key: str, fingerprint: bytes) -> Claim | Answer:
        """Leave to answer, or the answer there is. Raises KeyReused, KeyInProgress."""
        now = self._clock.now()
        claim = Claim(account_id, key, now + CLAIMED_FOR)
        won = await self._db.fetchval(
            Q["claim_key"], account_id, key, fingerprint, now, claim.until, now - KEPT_FOR
        )
        if won:
            return claim
        row = await self._db.fetchrow(Q["read_key"], account_id, key)
        if row is not None and row["fingerprint"] != fingerprint:
            raise KeyReused
        if row is None or row["status"] is None:  # swept or given up in this moment: ask again
            raise KeyInProgress(retry_after_s=AGAIN_S)
        return Answer(row["status"], row["headers"], row["body"])

    async def keep(self, claim: Claim, answer: Answer) -> None:
        await self._db.execute(
            Q["keep_answer"],
            claim.account_id,
            claim.key,
            claim.until,
            answer.status,
            answer.headers,
            answer.body,
        )

    async def forget(self, claim: Claim) -> None:
        """The answer was none: the next who asks is answered anew."""
        await self._db.execute(Q["forget_key"], claim.account_id, claim.key, claim.until)

    async def sweep(self) -> int:
        """Drop what is too old, a batch of it; how many."""
        before = self._clock.now() - KEPT_FOR
        swept: int = await self._db.fetchval(Q["sweep_keys"], before, SWEEP_MAX)
        return swept
