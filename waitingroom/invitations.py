"""Invitations: signed, so that they are checked before anything shared is asked.

A flood of invented ones costs a signature check each and no Redis; a good one is used by the first
who comes with it (lua/invite.lua), and leads into the lane of the invited.
"""

import secrets
from types import MappingProxyType

import msgspec
from prometheus_client import Counter

from kernel.clock import Clock
from kernel.errors import Forbidden, Refusal
from kernel.keyring import Keyring, TokenRefusedError
from waitingroom.passes import CLOCK_SKEW_S, ISSUER, MS

PURPOSE, TYP = "invite", "invite+jwt"
JTI_BYTES = 12
# Ours have some 400 characters.
TOKEN_MAX = 1_024
LANE_MAX = 30
LIFE_MAX_S = 400 * 24 * 3600
INVITES = Counter("room_invites", "Invitations shown, by lane and what was said", ["lane", "said"])


class InviteForged(Forbidden):
    """Это приглашение выдано не нами."""

    code = "invite-forged"


class InviteForeign(Forbidden):
    """Это приглашение на другое мероприятие."""

    code = "invite-foreign"


class InviteExpired(Refusal):
    """Срок приглашения истёк."""

    status, code = 410, "invite-expired"


class InviteNotYours(Forbidden):
    """Это приглашение именное. Войдите в учётную запись, на которую оно выдано."""

    code = "invite-not-yours"


class InviteUsed(Refusal):
    """Этим приглашением уже воспользовались."""

    status, code = 410, "invite-used"
    told = MappingProxyType({"reason": "used"})


# Said on the page beside the ordinary way in.
INVITE_REFUSALS = (InviteForged, InviteForeign, InviteExpired, InviteNotYours, InviteUsed)


class Invitation(msgspec.Struct, frozen=True):
    """`sub` is the only subject that may use it; empty: whoever comes first. Times are epoch
    seconds; `lane` is the organiser's name for this sort of guests.
    """

    iss: str
    aud: str
    jti: str
    lane: str
    iat: int
    nbf: int
    exp: int
    sub: str = ""


class Invitations:
    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._keyring, self._clock = keyring, clock

    def write(self, event: int, *, lane: str, until_s: int, subject: str = "") -> str:
        """A fresh invitation's token."""
        now_s = self._clock.ms() // MS
        assert now_s < until_s <= now_s + LIFE_MAX_S
        assert len(lane) <= LANE_MAX
        made = Invitation(
            iss=ISSUER,
            aud=str(event),
            jti=secrets.token_urlsafe(JTI_BYTES),
            lane=lane,
            iat=now_s,
            nbf=now_s - CLOCK_SKEW_S,
            exp=until_s,
            sub=subject,
        )
        return self._keyring.sign(PURPOSE, msgspec.structs.asdict(made), typ=TYP)

    def read(self, event: int, token: str, subject: str) -> Invitation:
        """What it says, for this subject. Asks nobody. Raises InviteForged, InviteForeign,
        InviteExpired, InviteNotYours.
        """
        try:
            good = self._read(event, token, subject)
        except Refusal as refusal:
            INVITES.labels("", refusal.code).inc()
            raise
        INVITES.labels(good.lane, "good").inc()
        return good

    def _read(self, event: int, token: str, subject: str) -> Invitation:
        if len(token) > TOKEN_MAX or not token.isascii():
            raise InviteForged
        try:
            claims = self._keyring.verify(PURPOSE, token, typ=TYP, audience=None, now_s=None)
            good = msgspec.convert(claims, Invitation)
        except (TokenRefusedError, msgspec.ValidationError) as error:
            raise InviteForged from error
        now_s = self._clock.ms() / MS
        if good.iss != ISSUER or now_s < good.nbf:
            raise InviteForged
        if good.aud != str(event):
            raise InviteForeign
        if now_s >= good.exp:
            raise InviteExpired
        if good.sub not in ("", subject):
            raise InviteNotYours
        return good
