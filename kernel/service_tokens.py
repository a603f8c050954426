"""How our own processes know each other over HTTP: short-lived tokens of the installation's
keyring, for calls that no visitor may make.
"""

from collections.abc import Callable

from kernel.keyring import Keyring, TokenRefusedError

PURPOSE, TYP = "service", "service+jwt"
SCHEME = "Bearer "
LIFE_S = 60
# Hosts' clocks may differ by this much.
SKEW_S = 30


class ServiceTokens:
    def __init__(self, keyring: Keyring, now_s: Callable[[], float]) -> None:
        self._keyring, self._now_s = keyring, now_s
        self._issued: dict[str, tuple[float, str]] = {}

    def header(self, audience: str) -> dict[str, str]:
        """For a call to the process of that duty; the same one for half of a token's life."""
        now_s = self._now_s()
        made_at, token = self._issued.get(audience, (0.0, ""))
        if not token or not 0 <= now_s - made_at < LIFE_S / 2:
            claims = {
                "aud": audience,
                "nbf": int(now_s) - SKEW_S,
                "exp": int(now_s) + LIFE_S + SKEW_S,
            }
            token = self._keyring.sign(PURPOSE, claims, typ=TYP)
            self._issued[audience] = (now_s, token)
        return {"Authorization": SCHEME + token}

    def is_good(self, audience: str, authorization: str | None) -> bool:
        """Whether this header is of a process of ours, meant for this one, and fresh."""
        if authorization is None or not authorization.startswith(SCHEME):
            return False
        token = authorization[len(SCHEME) :]
        try:
            self._keyring.verify(PURPOSE, token, typ=TYP, audience=audience, now_s=self._now_s())
        except TokenRefusedError:
            return False
        return True
