"""Keys of this installation: Ed25519 pairs for what others verify, secrets for what only we do.

They live in one folder (0700), made on first use. A signing purpose ("pass", "ticket") has one
current key and keeps its older ones for verification: files `<purpose>-<kid>.pem`, the newest
name signs. `rotate` adds a key; `retire` drops all but the two newest, so two are valid during
a change. Other processes see a change of the folder within RELOAD_EVERY_S.
"""

import os
import secrets
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm

SECRET_BYTES = 32
RELOAD_EVERY_S = 2.0
KEYS_VALID_MAX = 2
# Verified tokens are kept: EdDSA verification is three times dearer than signing it.
VERIFIED_MAX = 20_000
ALGORITHM = "EdDSA"


class TokenRefusedError(Exception):
    """The token is not ours, or not for this use, or not now. The message is a stable reason."""


class Keyring:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._secrets: dict[str, bytes] = {}
        self._private: dict[str, list[tuple[str, Ed25519PrivateKey]]] = {}
        self._public: dict[str, Ed25519PublicKey] = {}
        self._verified: dict[str, dict[str, Any]] = {}
        self._looked_at = 0.0
        self._stamp = -1

    def secret(self, name: str) -> bytes:
        """The HMAC secret of this name: 32 random bytes, the same in every process."""
        if name not in self._secrets:
            path = self._folder / f"{name}.secret"
            _write_once(path, secrets.token_bytes(SECRET_BYTES))
            self._secrets[name] = path.read_bytes()
        return self._secrets[name]

    def sign(self, purpose: str, claims: dict[str, Any], *, typ: str) -> str:
        """A JWT with the purpose's newest key; `kid` and `typ` stand in its header. Signing the
        same claims again gives the same token (Ed25519 has no chance in it).
        """
        kid, key = self._keys(purpose)[-1]
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid, "typ": typ})

    def verify(
        self, purpose: str, token: str, *, typ: str, audience: str | None, now_s: float | None
    ) -> dict[str, Any]:
        """The claims, or TokenRefusedError with reason `bad-token`, `wrong-audience`,
        `not-yet`, `expired`. Algorithm, type and key purpose are pinned; no network is asked.
        None for `audience` or `now_s`: the caller looks at `aud` or at `nbf` and `exp` itself.
        """
        claims = self._verified.get(token)
        if claims is None or claims["_purpose"] != purpose or claims["_typ"] != typ:
            claims = self._verify_signature(purpose, token, typ)
        if audience is not None and claims.get("aud") != audience:
            raise TokenRefusedError("wrong-audience")
        if not isinstance(claims.get("exp"), int) or not isinstance(claims.get("nbf"), int):
            raise TokenRefusedError("bad-token")
        if now_s is None:
            return claims
        if now_s < claims["nbf"]:
            raise TokenRefusedError("not-yet")
        if now_s >= claims["exp"]:
            raise TokenRefusedError("expired")
        return claims

    def jwks(self, purpose: str) -> dict[str, Any]:
        """The purpose's public keys as a JWK set (RFC 7517)."""
        keys = []
        for kid, key in self._keys(purpose)[-KEYS_VALID_MAX:]:
            jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
            keys.append(jwk | {"kid": kid, "use": "sig", "alg": ALGORITHM})
        return {"keys": keys}

    def rotate(self, purpose: str) -> str:
        """Make a new signing key; the one before stays valid. Returns the new key's id."""
        self._make(purpose)
        for old in sorted(self._folder.glob(f"{purpose}-*.pem"))[:-KEYS_VALID_MAX]:
            old.unlink()
        self._load()
        return self._private[purpose][-1][0]

    def _verify_signature(self, purpose: str, token: str, typ: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            if header.get("typ") != typ or header.get("alg") != ALGORITHM:
                raise TokenRefusedError("bad-token")
            if not isinstance(kid, str) or not kid.startswith(f"{purpose}-"):
                raise TokenRefusedError("bad-token")
            self._keys(purpose)
            key = self._public.get(kid)
            if key is None:
                raise TokenRefusedError("bad-token")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                # Audience and time are checked by the caller, on its own clock.
                options={
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenRefusedError("bad-token") from error
        claims["_purpose"], claims["_typ"] = purpose, typ
        if len(self._verified) >= VERIFIED_MAX:
            self._verified.clear()
        self._verified[token] = claims
        return claims

    def _keys(self, purpose: str) -> list[tuple[str, Ed25519PrivateKey]]:
        """The purpose's keys, oldest first; the folder is looked at again every so often."""
        now = time.monotonic()
        if now - self._looked_at > RELOAD_EVERY_S:
            self._looked_at = now
            stamp = self._folder.stat().st_mtime_ns
            if stamp != self._stamp:
                self._load()
                self._stamp = stamp
        if purpose not in self._private:
            if not list(self._folder.glob(f"{purpose}-*.pem")):
                self._make(purpose, kid=f"{purpose}-0000000001")
            self._load()
        return self._private[purpose]

    def _load(self) -> None:
        self._private, self._public = {}, {}
        # A key that was dropped must stop being good at once.
        self._verified.clear()
        for path in sorted(self._folder.glob("*.pem")):
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
            assert isinstance(key, Ed25519PrivateKey)
            purpose = path.stem.rsplit("-", 1)[0]
            self._private.setdefault(purpose, []).append((path.stem, key))
            self._public[path.stem] = key.public_key()

    def _make(self, purpose: str, kid: str | None = None) -> None:
        """Names grow with time, so the newest sorts last; the very first has a fixed name, so
        that processes starting together agree on one file.
        """
        name = kid or f"{purpose}-{time.time_ns() // 1000:016d}"
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        _write_once(self._folder / f"{name}.pem", pem)


def _write_once(path: Path, content: bytes) -> None:
    """Create the file whole or not at all; whoever comes second keeps the first one's."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
