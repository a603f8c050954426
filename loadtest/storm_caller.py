"""Somebody who asks again: loads anew what did not come, for a while, and then has had enough."""

import asyncio
import time
from collections import Counter
from random import Random
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import msgspec

from loadtest.visitor import Sites, code_of
from loadtest.wire import Answer, Wire, basic

# A page that did not come is loaded again, for so long altogether.
PATIENCE_S = 75.0
PAUSE_S = (0.4, 2.0)
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
# Somebody's first try under the same key died with its process; it is taken over after a while.
AGAIN_CODE = "409 idempotency-key-in-progress"
# 429 as well, and asking again is no use.
FINAL_CODES = frozenset({"429 pass-needed", "429 pass-expired", "429 admission-over"})
NAMES_WRITES = 0.5
OK, SEE_OTHER = 200, 303


class Gave(Exception):
    """The buyer has had enough; the message is the outcome."""


class Caller(msgspec.Struct, kw_only=True):
    """`until`: when the storm is over for everybody, on the monotonic clock. `cookies`: of those
    who have signed in, by e-mail, for all to share.
    """

    sites: Sites
    email: str
    password: str
    chance: Random
    tally: Counter[str]
    until: float
    cookies: dict[str, str]
    pass_: str = ""

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        at: Wire | None = None,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """The answer, however often it takes. Raises Gave. Half of the calls of the machine face
        name their writes, so that what is repeated is done once; the others are as of old clients.
        """
        given = self.headers(body) if headers is None and at is None else headers or {}
        until = self.patience()
        while time.monotonic() < until:
            try:
                answer = await (at or self.sites.sales).request(
                    method,
                    path,
                    headers=given,
                    json=body,
                    form=urlencode(form).encode() if form else None,
                )
            except (OSError, TimeoutError, EOFError, ValueError):
                self.tally["answers that never came"] += 1
            else:
                code = code_of(answer)
                if code in FINAL_CODES or (answer.status not in AGAIN and code != AGAIN_CODE):
                    return answer
                self.tally[f"answers {code if code == AGAIN_CODE else answer.status}"] += 1
            await self.pause()
        raise Gave(f"no answer: {shape_of(path)}" if until < self.until else "cut off")

    async def read(self, path: str) -> Any:
        """What is there; None where nothing is."""
        answer = await self.ask("GET", path)
        return answer.json() if answer.status == OK else None

    def patience(self) -> float:
        return min(time.monotonic() + PATIENCE_S, self.until)

    async def pause(self) -> None:
        await asyncio.sleep(self.chance.uniform(*PAUSE_S))

    async def sign_in(self) -> str:
        """The cookies of a signed-in browser. Raises Gave."""
        if self.email not in self.cookies:
            who = {"email": self.email, "password": self.password}
            signed = await self.ask("POST", "/sign-in", form=who, headers={})
            if signed.status != SEE_OTHER:
                raise Gave(f"sign-in: {signed.status}")
            lines = signed.headers.get("set-cookie", "").split("\n")
            self.cookies[self.email] = "; ".join(line.partition(";")[0] for line in lines)
        return self.cookies[self.email]

    def headers(self, body: object) -> dict[str, str]:
        """Those who have not signed in send their password each time, as the contract has it."""
        if self.email in self.cookies:
            headers = {"Cookie": self.cookies[self.email]}
        else:
            headers = basic(self.email, self.password)
        if self.pass_:
            headers["X-Queue-Pass"] = self.pass_
        if body is not None and self.chance.random() < NAMES_WRITES:
            headers["Idempotency-Key"] = uuid4().hex
        return headers


def shape_of(path: str) -> str:
    """The path without its query and numbers, to count alike what is alike."""
    return "/".join("…" if part.isdigit() else part for part in path.partition("?")[0].split("/"))
