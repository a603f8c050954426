"""The lottery: every entrant of the pre-queue gets a random place, which anybody can recompute.

Entrants are numbered 1…count as they come. A keyed permutation turns an entrant's number into a
place, one by one: no list is drawn, stored or sent. Published before: SHA-256 of the seed.
Published after: the seed, a value from outside, and the count. The whole algorithm, `ALGORITHM`:

    key = SHA-256 of six lines of UTF-8 text, joined by single newlines (byte 10), none at the end:
          biletter-lottery-1, event, generation, count (in decimal), seed (64 small hexadecimal
          digits), outside value
    F(i, x) = the first 8 bytes of SHA-256(key, i as 1 byte, x as 8 bytes), a big-endian number;
          x is written big-endian too
    side = the smallest whole number that is at least 16 and whose square is at least the count

    def place(entrant):
        x = entrant - 1
        while True:
            left, right = divmod(x, side)
            for i in range(10):
                left, right = right, (left + F(i, right)) % side
            x = left * side + right
            if x < count:
                return x + 1

It is a Feistel network (10 rounds, as FF1 has, on side x side) that walks on while it is outside
1…count; so each place is given to exactly one entrant. F has side different arguments a round,
which are kept: a million places take 10 000 hashes.

What protects from whom. Entrants can't foresee a place: the seed is secret till the draw. Nobody
can change the seed after its hash was published. The organiser, who knows the seed, could still
send people in until the count suits a friend; the value from outside, of a source named before
and unknown until shortly before the draw, takes that away. Without one, that much is trust. Where a
source was named, the entrants are counted at the opening and the draw waits for its value, or for
the organiser's word to go without it, which is published.
"""

import hmac
from collections.abc import Iterator
from hashlib import sha256
from math import isqrt
from typing import Literal

import msgspec

ALGORITHM = "biletter-lottery-1"
ROUNDS = 10
SIDE_MIN = 16
SEED_BYTES = 32
# More than people on Earth would be no lottery; tables stay under a hundred thousand a round.
COUNT_MAX = 10**10


class Lottery(msgspec.Struct, frozen=True):
    """A draw that was made: all that is needed to recompute every place. `seed` is hexadecimal."""

    event: int
    generation: int
    count: int
    seed: str
    outside: str = ""

    @property
    def key(self) -> bytes:
        words = (ALGORITHM, self.event, self.generation, self.count, self.seed, self.outside)
        return sha256("\n".join(map(str, words)).encode()).digest()

    @property
    def commitment(self) -> str:
        return commitment_of(bytes.fromhex(self.seed))

    def permutation(self) -> "Permutation":
        return Permutation(self.key, self.count)


class Permutation:
    """1…count onto 1…count, each number once, in an order that the key decides."""

    def __init__(self, key: bytes, count: int) -> None:
        assert 0 <= count <= COUNT_MAX, count
        self.count = count
        self._side = max(SIDE_MIN, isqrt(max(0, count - 1)) + 1)
        self._key = key
        self._rounds: list[list[int | None]] = [[None] * self._side for _ in range(ROUNDS)]

    def __call__(self, entrant: int) -> int:
        """The place of this entrant. Raises ValueError for a number that nobody got."""
        if not 1 <= entrant <= self.count:
            raise ValueError(f"no entrant {entrant} of {self.count}")
        x, side = entrant - 1, self._side
        while True:
            left, right = divmod(x, side)
            for i, known in enumerate(self._rounds):
                step = known[right]
                if step is None:
                    step = known[right] = self._step(i, right)
                left, right = right, (left + step) % side
            x = left * side + right
            if x < self.count:
                return x + 1

    def entrant_of(self, place: int) -> int:
        """Whose place this is: the way back. Raises ValueError for a place there is not."""
        if not 1 <= place <= self.count:
            raise ValueError(f"no place {place} of {self.count}")
        x, side = place - 1, self._side
        while True:
            left, right = divmod(x, side)
            for i in reversed(range(ROUNDS)):
                left, right = (right - self._step(i, left)) % side, left
            x = left * side + right
            if x < self.count:
                return x + 1

    def places(self) -> Iterator[int]:
        """The places of entrants 1, 2, … count."""
        return map(self, range(1, self.count + 1))

    def _step(self, i: int, x: int) -> int:
        drawn = sha256(self._key + i.to_bytes(1, "big") + x.to_bytes(8, "big")).digest()
        return int.from_bytes(drawn[:8], "big") % self._side


def seed_of(secret: bytes, event: int, generation: int) -> bytes:
    """The seed of this line's lottery: always the same, so it need not be kept before the draw
    anywhere but with the secret.
    """
    return hmac.digest(secret, f"lottery\n{event}\n{generation}".encode(), "sha256")


def commitment_of(seed: bytes) -> str:
    """What is published before the draw: SHA-256 of the seed's 32 bytes, in hexadecimal."""
    return sha256(seed).hexdigest()


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may read, before the draw and after. Times as in "2026-06-01T12:00:00.000Z";
    `seed`, `outside` and `drawn_at` are null until the draw, `count` until the entrants were
    counted. `awaits`: what the draw waits for. `without_outside`: a source had been named, and the
    organiser had the lottery drawn without its value.
    """

    event: int
    generation: int
    algorithm: str
    commitment: str
    outside_source: str = ""
    opens_at: str | None = None
    seed: str | None = None
    outside: str | None = None
    count: int | None = None
    drawn_at: str | None = None
    awaits: Literal["outside"] | None = None
    without_outside: bool = False

    def lottery(self) -> Lottery | None:
        """The draw, or None while there is none. Raises ValueError for what can't be one."""
        if self.algorithm != ALGORITHM:
            raise ValueError(f"the algorithm {self.algorithm[:40]!r} is not known here")
        if self.seed is None or self.count is None:
            return None
        if not 0 <= self.count <= COUNT_MAX:
            raise ValueError(f"nobody counted {self.count} entrants")
        seed = bytes.fromhex(self.seed)
        if len(seed) != SEED_BYTES or self.seed != seed.hex():
            raise ValueError("the seed is not 64 small hexadecimal digits")
        return Lottery(self.event, self.generation, self.count, self.seed, self.outside or "")
