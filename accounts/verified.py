"""Credentials that were judged lately, so that HTTP Basic costs microseconds a call.

An entry remembers the password hash it was judged against. It is believed for FRESH_MS; then the
account's row is read again (accounts.batch gathers such reads), and as long as the hash there
is the same the judgement stands. So a changed password, a blocked account or a new role shows
within FRESH_MS. Neither addresses nor passwords are kept, only a hash under a key of this process.
"""

import hashlib
import secrets

import msgspec

from accounts.people import Person

FRESH_MS = 1_000
GOOD_MAX = 50_000
# Wrong ones live apart, so that guessing cannot push the good ones out.
WRONG_MAX = 10_000
KEY_BYTES = 16


class Judgement(msgspec.Struct):
    """`person` is None when there is no such account; then `good` is False."""

    person: Person | None
    good: bool
    read_at_ms: int

    @property
    def password_hash(self) -> str | None:
        return self.person.password_hash if self.person else None


class Verified:
    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._good: dict[bytes, Judgement] = {}
        self._wrong: dict[bytes, Judgement] = {}

    def key(self, email: str, password: str) -> bytes:
        text = f"{len(email)}:{email}{password}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._secret, digest_size=KEY_BYTES).digest()

    def get(self, key: bytes) -> Judgement | None:
        return self._good.get(key) or self._wrong.get(key)

    def keep(self, key: bytes, judgement: Judgement) -> None:
        kept, most = (self._good, GOOD_MAX) if judgement.good else (self._wrong, WRONG_MAX)
        (self._wrong if judgement.good else self._good).pop(key, None)
        if key not in kept and len(kept) >= most:
            del kept[next(iter(kept))]
        kept[key] = judgement

    def rehashed(self, key: bytes, person: Person) -> None:
        """The same password has a new hash: the judgement stands."""
        judgement = self._good.get(key)
        if judgement is not None:
            judgement.person = person

    def forget(self, account_id: int) -> None:
        """Drop what was judged for this account in this process, at once."""
        for kept in (self._good, self._wrong):
            gone = [key for key, one in kept.items() if one.person and one.person.id == account_id]
            for key in gone:
                del kept[key]
