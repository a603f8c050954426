"""The pass: what the gate gives to whoever is let in, and sales verify without asking us."""

import msgspec

from kernel.keyring import Keyring

PURPOSE = "pass"
TYP = "pass+jwt"
ISSUER = "biletter-room"
# Two hosts' clocks may differ by this much before a fresh pass is "not yet".
CLOCK_SKEW_S = 5
MS = 1000


class Visit(msgspec.Struct, frozen=True):
    """What the gate granted. Times are epoch seconds; `lease` is the latest end of the visit."""

    generation: int
    number: int
    jti: str
    iat: int
    exp: int
    lease: int

    @classmethod
    def parse(cls, text: bytes) -> "Visit":
        """From the words that lua/claim.lua keeps: generation:number:jti:iat:exp:lease."""
        generation, number, jti, iat, exp, lease = text.decode().split(":")
        return cls(int(generation), int(number), jti, int(iat), int(exp), int(lease))


def sign_pass(keyring: Keyring, event: int, subject: str, visit: Visit) -> str:
    """The same visit gives the same pass (until the key is changed)."""
    claims = {
        "iss": ISSUER,
        "aud": str(event),
        "sub": subject,
        "jti": visit.jti,
        "iat": visit.iat,
        "nbf": visit.iat - CLOCK_SKEW_S,
        "exp": visit.exp,
        "gen": visit.generation,
        "num": visit.number,
        "lease": visit.lease,
    }
    return keyring.sign(PURPOSE, claims, typ=TYP)
