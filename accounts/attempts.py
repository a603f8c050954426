"""How many different wrong passwords one account is offered: a window for each account.

A device that signed in to the account before (accounts.identity knows it by a signed cookie) has
a window of its own, so that a stranger's guesses lock out strangers and not the owner.
Never by address: a school or a mobile operator shares one, and so does a load generator. The
same wrong password again is no new guess and is not counted (accounts.verified remembers it).
Kept in this process's memory: a courtesy limit, it opens when the process starts anew.
"""

from collections import deque

from kernel.clock import Clock
from kernel.errors import Refusal

GUESSES_MAX = 10
WINDOW_MS = 300_000
ACCOUNTS_MAX = 20_000


class TooManyGuesses(Refusal):
    """Слишком много неверных паролей. Подождите немного и попробуйте снова."""

    status, code = 429, "too-many-guesses"


def window(email: str, device: str = "") -> str:
    """Whose guesses are counted together. `device`: a known one; empty for all strangers."""
    return f"{email} {device}"


class Attempts:
    """`whose` is a `window`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: dict[str, deque[int]] = {}

    def require(self, whose: str) -> None:
        """Raises TooManyGuesses, with Retry-After, while the window is full."""
        times = self._wrong.get(whose)
        if times is None:
            return
        now = self._clock.ms()
        while times and times[0] <= now - WINDOW_MS:
            times.popleft()
        if not times:
            del self._wrong[whose]
        elif len(times) >= GUESSES_MAX:
            raise TooManyGuesses(retry_after_s=-(-(times[0] + WINDOW_MS - now) // 1000))

    def count_wrong(self, whose: str) -> None:
        if whose not in self._wrong and len(self._wrong) >= ACCOUNTS_MAX:
            self._wrong.pop(next(iter(self._wrong)))
        times = self._wrong.setdefault(whose, deque(maxlen=GUESSES_MAX))
        times.append(self._clock.ms())

    def withdraw(self, whose: str) -> None:
        """The last count was no guess after all: nobody looked at it."""
        times = self._wrong.get(whose)
        if times:
            times.pop()

    def forget(self, whose: str) -> None:
        """The owner has come: earlier typing errors are forgiven."""
        self._wrong.pop(whose, None)
