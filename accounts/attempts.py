"""How many different wrong passwords one account is offered, and by whom.

A window each for: a device that signed in to the account before (accounts.identity knows it by a
signed cookie); the strangers of one neighbourhood of the network; all strangers together, ten times
as wide. So guesses from one place lock out that place, and neither the owner's devices nor their
programs elsewhere; and guesses from everywhere are not endless. Never by address alone: a school
or a mobile operator shares one, and so does a load generator.
The same wrong password again is no new guess, and credentials that were right lately are not
guessed at all (accounts.verified remembers both).
Kept in this process's memory: a courtesy limit, it opens when the process starts anew.
"""

from collections import deque

import msgspec

from kernel.clock import Clock
from kernel.errors import Refusal

GUESSES_MAX = 10
# Of all neighbourhoods together.
STRANGERS_GUESSES_MAX = 100
WINDOW_MS = 300_000
ACCOUNTS_MAX = 20_000


class TooManyGuesses(Refusal):
    """Слишком много неверных паролей. Подождите немного и попробуйте снова."""

    status, code = 429, "too-many-guesses"


class Asker(msgspec.Struct, frozen=True):
    """Whose guesses are counted together. `device`: one known to the account; empty for a
    stranger, who has a neighbourhood: `203.0.113.0/24`, or none on this machine.
    """

    device: str = ""
    network: str = ""

    def windows(self, email: str) -> list[tuple[str, int]]:
        """Names of windows, each with how many guesses it takes; the asker's own one first."""
        if self.device:
            return [(f"{email} {self.device}", GUESSES_MAX)]
        return [(f"{email} @{self.network}", GUESSES_MAX), (f"{email} *", STRANGERS_GUESSES_MAX)]


SOMEBODY = Asker(network="?")


class Attempts:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: dict[str, deque[int]] = {}

    def require(self, email: str, asker: Asker) -> None:
        """Raises TooManyGuesses, with Retry-After, while one of the windows is full."""
        now = self._clock.ms()
        for name, most in asker.windows(email):
            times = self._wrong.get(name)
            while times and times[0] <= now - WINDOW_MS:
                times.popleft()
            if times is not None and len(times) >= most:
                raise TooManyGuesses(retry_after_s=-(-(times[0] + WINDOW_MS - now) // 1000))
            if times is not None and not times:
                del self._wrong[name]

    def count_wrong(self, email: str, asker: Asker) -> None:
        for name, most in asker.windows(email):
            if name not in self._wrong and len(self._wrong) >= ACCOUNTS_MAX:
                self._wrong.pop(next(iter(self._wrong)))
            self._wrong.setdefault(name, deque(maxlen=most)).append(self._clock.ms())

    def withdraw(self, email: str, asker: Asker) -> None:
        """The last count was no guess after all: nobody looked at it, or it was right."""
        for name, _ in asker.windows(email):
            times = self._wrong.get(name)
            if times:
                times.pop()

    def forgive(self, email: str, asker: Asker) -> None:
        """The owner has come, here: their earlier typing errors don't count; others' do."""
        self.withdraw(email, asker)
        self._wrong.pop(asker.windows(email)[0][0], None)
