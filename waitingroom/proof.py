"""Proof of work at the door: a join that nobody vouches for costs its browser a second or two.

A challenge is bound to event and subject, expires, and is signed, so nothing is stored. It is met
by work (`<challenge>.<n>` whose SHA-256 begins with so many zero bits) or, for browsers that
can't work, by patience: `<challenge>.wait`, once it is old enough.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from types import MappingProxyType

import msgspec
from prometheus_client import Counter

from kernel.clock import Clock
from kernel.errors import Forbidden
from kernel.keyring import Keyring

LIFE_S = 600
# How long who doesn't work waits instead.
WAIT_S = 30
# What a bad signal adds to the difficulty.
SUSPECT_BITS = 3
BITS_MAX = 24
PROOF_MAX = 200
MAC_BYTES = 16
PATIENCE = "wait"

PROOFS = Counter("room_proofs", "Proofs at the door, by what became of them", ["outcome"])


class ProofRequired(Forbidden):
    """Прежде чем выдать номер, нужно проверить браузер."""

    code = "proof-required"
    told = MappingProxyType(
        {
            "reason": "missing",
            "challenge": "1.16.1780315200.Yk3mJ0w1h2aVQx8b7c6d5A",
            "bits": 16,
            "expires_in_s": 600,
            "wait_s": 30,
        }
    )


class Challenge(msgspec.Struct, frozen=True):
    """`wait_s`: from then on `<challenge>.wait` is as good as work. Times are seconds."""

    challenge: str
    bits: int
    expires_in_s: int
    wait_s: int


class ProofDesk:
    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._secret = keyring.secret("proof")
        self._clock = clock

    def challenge(self, event: int, subject: str, bits: int) -> Challenge:
        now_s = self._clock.ms() // 1000
        body = f"{event}.{bits}.{now_s}"
        return Challenge(f"{body}.{self._mac(body, subject)}", bits, LIFE_S, WAIT_S)

    def check(self, event: int, subject: str, bits: int, proof: str | None) -> None:
        """Raises ProofRequired with a new challenge and the reason: `missing`, `malformed`,
        `foreign` (another event's or subject's, or forged), `expired`, `weak`, `early`.
        """
        reason = self._fault(event, subject, proof)
        PROOFS.labels(reason or "good").inc()
        if reason is None:
            return
        # Who waits goes on waiting for the same challenge.
        given = msgspec.structs.asdict(self.challenge(event, subject, bits))
        raise ProofRequired(reason=reason, **given)

    def is_ours(self, event: int, subject: str, challenge: str) -> bool:
        """Whether we gave this challenge, and it may still be answered."""
        return self._fault(event, subject, f"{challenge}.{PATIENCE}") in (None, "early")

    def wait_left_s(self, challenge: str) -> int:
        """How long a `.wait` of this challenge of ours is early; for telling people."""
        started_s = int(challenge.split(".")[2])
        return max(0, started_s + WAIT_S - self._clock.ms() // 1000)

    def _fault(self, event: int, subject: str, proof: str | None) -> str | None:
        if not proof:
            return "missing"
        challenge, _, answer = proof.rpartition(".")
        body, _, mac = challenge.rpartition(".")
        parts = body.split(".")
        if len(proof) > PROOF_MAX or not proof.isascii() or len(parts) != 3:  # noqa: PLR2004  # see challenge()
            return "malformed"
        if not hmac.compare_digest(mac, self._mac(body, subject)) or parts[0] != str(event):
            return "foreign"
        age_s = self._clock.ms() // 1000 - int(parts[2])
        if age_s > LIFE_S:
            return "expired"
        if answer == PATIENCE:
            return "early" if age_s < WAIT_S else None
        return None if zero_bits(sha256(proof.encode()).digest()) >= int(parts[1]) else "weak"

    def _mac(self, body: str, subject: str) -> str:
        raw = hmac.digest(self._secret, f"{body}.{subject}".encode(), "sha256")[:MAC_BYTES]
        return urlsafe_b64encode(raw).rstrip(b"=").decode()


def bits_for(set_bits: int, *, is_known: bool, is_suspect: bool) -> int:
    """How much work a join costs: nothing where the room asks for none, or of somebody signed in
    against whom nothing speaks; more of whoever met a limit lately.
    """
    if set_bits == 0 or (is_known and not is_suspect):
        return 0
    return min(BITS_MAX, set_bits + (SUSPECT_BITS if is_suspect else 0))


def zero_bits(digest: bytes) -> int:
    """How many bits are zero before the first that isn't."""
    return len(digest) * 8 - int.from_bytes(digest, "big").bit_length()
