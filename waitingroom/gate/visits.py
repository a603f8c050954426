"""A pass of the room opens a visit; a signed cookie of the site carries it on."""

import hashlib
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ISSUER, PASS_TYP, PASS_ALGORITHM = "biletter-room", "pass+jwt", "EdDSA"
VISIT_TYP, VISIT_ALGORITHM = "queue-visit+jwt", "HS256"
# Longer than any pass or visit; what is longer isn't looked at.
TOKEN_MAX = 2_048
# Times are looked at by us, on the clock that was handed in.
UNTIMED: Any = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
}


class Refused(Exception):
    """Why a pass opens nothing; `code` is stable, `status` is what programs are told."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code, self.status = code, status


class Pass(msgspec.Struct, frozen=True):
    """What a pass says. Times are epoch seconds: `exp` is the last moment to begin the visit,
    `lease` its latest end.
    """

    iss: str
    aud: str
    sub: str
    jti: str
    nbf: int
    exp: int
    num: int
    lease: int


class Visit(msgspec.Struct, frozen=True):
    """Somebody who was let in: `until` is the latest end, epoch seconds."""

    event: str
    jti: str
    sub: str
    num: int
    until: int


def kid_of(token: str) -> str:
    """Which key is said to have signed it. Raises Refused."""
    try:
        header = jwt.get_unverified_header(token) if len(token) <= TOKEN_MAX else {}
    except jwt.PyJWTError:
        header = {}
    kid = header.get("kid")
    if header.get("typ") != PASS_TYP or header.get("alg") != PASS_ALGORITHM:
        raise Refused("pass-forged", 403)
    if not isinstance(kid, str):
        raise Refused("pass-forged", 403)
    return kid


def read_pass(token: str, key: Ed25519PublicKey, event: str, now_s: float) -> Pass:
    """A pass of the room's for this event. Raises Refused; an expired one is returned all the
    same: its visit may be going on.
    """
    try:
        claims = jwt.decode(token, key, algorithms=[PASS_ALGORITHM], options=UNTIMED)
        good = msgspec.convert(claims, Pass)
    except (jwt.PyJWTError, msgspec.ValidationError, ValueError) as error:
        raise Refused("pass-forged", 403) from error
    if good.iss != ISSUER or now_s < good.nbf:
        raise Refused("pass-forged", 403)
    if good.aud != event:
        raise Refused("pass-wrong-event", 403)
    return good


def visit_cookie_of(event: str) -> str:
    return f"queue_visit_{event}"


class VisitBook:
    """Writes and reads the site's own cookies."""

    def __init__(self, secret: bytes) -> None:
        # Whatever its length, the key has the algorithm's.
        self._key = hashlib.sha256(b"queue-visit:" + secret).digest()

    def write(self, visit: Visit) -> str:
        claims = msgspec.structs.asdict(visit)
        return jwt.encode(claims, self._key, algorithm=VISIT_ALGORITHM, headers={"typ": VISIT_TYP})

    def read(self, token: str, event: str, now_s: float) -> Visit | None:
        """None: not ours, not for this event, or over."""
        if len(token) > TOKEN_MAX:
            return None
        try:
            claims = jwt.decode(token, self._key, algorithms=[VISIT_ALGORITHM], options=UNTIMED)
            visit = msgspec.convert(claims, Visit)
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError):
            return None
        return visit if visit.event == event and now_s < visit.until else None


def visit_cookie(book: VisitBook, visit: Visit, now_s: float, *, secure: bool) -> str:
    """The line of Set-Cookie; the cookie lives as long as the visit may."""
    life_s = max(0, visit.until - int(now_s))
    line = f"{visit_cookie_of(visit.event)}={book.write(visit)}; Path=/"
    line += f"; Max-Age={life_s}; HttpOnly; SameSite=Lax"
    return line + ("; Secure" if secure else "")
