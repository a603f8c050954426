"""The room as one would first write it, with the answers that ours gives: ordinary routes, one
script a request, PyJWT. Who asks is known by the device's cookie and has one place; the entry is
signed, and checked at each heartbeat and claim; a claim is answered with a signed pass.
"""

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar import Request, Response, post

EVENT, KEYS_OF = 1, "{peer-room}:"
SUBJECT_BYTES, LIFE_S = 16, 86_400
JOIN = """
local number = redis.call('HGET', KEYS[2], ARGV[1])
if number then return {'again', number} end
number = redis.call('INCR', KEYS[1])
redis.call('HSET', KEYS[2], ARGV[1], number)
return {'joined', number}
"""
HEARTBEAT = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], 600)
return 1
"""
CLAIM = """
if redis.call('ZCARD', KEYS[1]) >= 1000000 then return 0 end
return redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
"""
Asked = Request[Any, Any, Any]


def routes(redis: Any) -> list[Any]:
    secret, key = secrets.token_bytes(32), Ed25519PrivateKey.generate()
    join_script, beat_script = redis.register_script(JOIN), redis.register_script(HEARTBEAT)
    claim_script = redis.register_script(CLAIM)

    def subject_of(request: Asked) -> str:
        device = request.cookies["biletter_device"]
        mac = hmac.new(secret, device.encode(), hashlib.sha256).digest()
        return urlsafe_b64encode(mac[:SUBJECT_BYTES]).rstrip(b"=").decode()

    def entry_of(request: Asked) -> dict[str, Any]:
        token = request.headers["authorization"].removeprefix("Entry ")
        return jwt.decode(token, secret, algorithms=["HS256"], options={"verify_exp": False})

    @post("/same/entries", status_code=201)
    async def join(request: Asked) -> Response[dict[str, Any]]:
        subject = subject_of(request)
        keys = [KEYS_OF + "issued", KEYS_OF + "places"]
        _, number = await join_script(keys=keys, args=[subject])
        claims = {"event": EVENT, "num": int(number), "sub": subject, "iat": int(time.time())}
        token = jwt.encode(claims, secret, "HS256")
        answer = {"entry": token, "number": int(number), "called": False, "poll_after_ms": 3000}
        response = Response(answer, headers={"Cache-Control": "no-store"})
        response.set_cookie(f"biletter_entry_{EVENT}", token, max_age=LIFE_S, httponly=True)
        return response

    @post("/same/heartbeats", status_code=204)
    async def heartbeat(request: Asked) -> None:
        await beat_script(keys=[KEYS_OF + "beats"], args=[entry_of(request)["num"], time.time()])

    @post("/same/claims", status_code=201)
    async def claim(request: Asked) -> dict[str, str]:
        subject, until_s = entry_of(request)["sub"], int(time.time()) + 180
        await claim_script(keys=[KEYS_OF + "leases"], args=[subject, until_s])
        claims = {"aud": str(EVENT), "sub": subject, "exp": until_s, "jti": secrets.token_hex(16)}
        return {"pass": jwt.encode(claims, key, "EdDSA")}

    return [join, heartbeat, claim]
