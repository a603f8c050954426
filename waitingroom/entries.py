"""The signed queue entry: a visitor's proof of a place, which survives even a loss of Redis."""

import hmac
from base64 import urlsafe_b64decode
from types import MappingProxyType

import msgspec

from kernel.errors import Forbidden, NotFound, Refusal
from kernel.keyring import Keyring
from kernel.mac import Mac, base64url
from waitingroom.keys import LaneId, LineId

TYP = "entry+jwt"
ALGORITHM = "HS256"
# Longer than any entry of ours; what is longer isn't looked at.
ENTRY_MAX = 1024
# Entries that were read stay read: a waiter polls many times.
READ_MAX = 100_000


class NoEntry(NotFound):
    """У вас нет места в этой очереди."""

    code = "no-entry"


class HandedOver(NoEntry):
    """Ваше место передано на другое устройство."""

    told = MappingProxyType({"reason": "handed-over"})


class EntryForged(Forbidden):
    """Этот номер в очереди выдан не нами."""

    code = "entry-forged"


class EntryForeign(Forbidden):
    """Этот номер — из другой очереди."""

    code = "entry-foreign"


class GenerationOver(Refusal):
    """Очередь началась заново, прежние номера больше не действуют."""

    status, code = 410, "generation-over"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """`number` of `subject` in the line of this `generation` of the event's room."""

    event: int
    gen: int
    num: int
    sub: str
    # Epoch seconds.
    iat: int
    # The serving number at the join: where this visitor's progress starts.
    srv: int = 0
    # Whether the number is an entrant's, given before the draw.
    lot: bool = False
    # The lane that the number is of, which is the generation it began in; 0: of the line.
    lane: int = 0
    # How often the place had changed hands: of two entries of one number the newer is its owner's.
    hands: int = 0

    @property
    def line(self) -> LineId:
        """Whose keys the place has."""
        return LaneId(self.gen, self.lane) if self.lane else self.gen

    @property
    def number(self) -> int:
        return self.num

    @property
    def generation(self) -> int:
        return self.gen

    @property
    def subject(self) -> str:
        return self.sub


# A JWT as any library reads it. Every entry of ours begins with these very bytes, and nothing that
# begins otherwise is looked at: there is no algorithm to be chosen by whoever sends one.
BEGINS = base64url(msgspec.json.encode({"alg": ALGORITHM, "typ": TYP})) + b"."
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode


class EntryBook:
    """Writes and reads entries with the keyring's secret "entry"."""

    def __init__(self, keyring: Keyring) -> None:
        self._mac = Mac(keyring.secret("entry"))
        self._read: dict[str, Entry] = {}

    def write(self, entry: Entry) -> str:
        # What jwt.encode gives, thirty times as quickly: every join signs one.
        signed = BEGINS + base64url(_encode(entry))
        return (signed + b"." + self._signature(signed)).decode()

    def read(self, token: str, event: int) -> Entry:
        """The entry, or EntryForged, or EntryForeign. Whether it still has a place is not asked."""
        entry = self._read.get(token)
        if entry is None:
            entry = self._verify(token)
            if len(self._read) >= READ_MAX:
                self._read.clear()
            self._read[token] = entry
        if entry.event != event:
            raise EntryForeign
        return entry

    def _verify(self, token: str) -> Entry:
        """There is no expiry: a place lasts as long as its line. `iat` may lie in the future when
        a clock jumped back; the place is none the worse.
        """
        if len(token) > ENTRY_MAX or not token.isascii():
            raise EntryForged
        signed, _, signature = token.encode().rpartition(b".")
        ours = hmac.compare_digest(signature, self._signature(signed))
        if not ours or not signed.startswith(BEGINS):
            raise EntryForged
        claims = signed[len(BEGINS) :]
        try:
            return _decode(urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))
        except (msgspec.DecodeError, ValueError) as error:
            raise EntryForged from error

    def _signature(self, signed: bytes) -> bytes:
        return base64url(self._mac.digest(signed))
