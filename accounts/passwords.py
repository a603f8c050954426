"""Passwords: argon2id for ours, a keyed hash over an imported digest until it is upgraded.

Argon2 costs 19 MiB and some 35 ms of a core, so it runs in a few threads with a bounded queue,
never on the event loop; a full queue refuses at once. See docs/adr/0005-imported-passwords.md.
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from kernel.errors import Refusal, TryAgain

# OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
THREADS = 2
# Hashing (sign-up, a new password) gives way to checking: about half a second and two of queue.
HASHES_WAITING_MAX = 16
CHECKS_WAITING_MAX = 64
LENGTH_MIN, LENGTH_MAX = 8, 128
IMPORTED = "hmac-sha256$"
DIGEST = re.compile(r"[0-9a-f]{64}")
T = TypeVar("T")


class WeakPassword(Refusal):
    """Пароль должен быть не короче 8 и не длиннее 128 знаков."""

    status, code = 400, "weak-password"


class PasswordsBusy(TryAgain):
    """Сейчас входит очень много людей. Попробуйте через несколько секунд."""

    code = "passwords-busy"


class Passwords:
    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper
        self._argon = PasswordHasher(PASSES, MEMORY_KIB, LANES, type=Type.ID)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """`$argon2id$…`; PasswordsBusy when too many wait."""
        return await self._in_thread(HASHES_WAITING_MAX, self._argon.hash, password)

    async def verify(self, password: str, stored: str) -> bool:
        """Whether this is the password. Microseconds for an imported one; PasswordsBusy when
        too many argon2 checks wait.
        """
        if stored.startswith(IMPORTED):
            return hmac.compare_digest(self.import_password(password), stored)
        return await self._in_thread(CHECKS_WAITING_MAX, self._check, stored, password)

    def import_password(self, password: str) -> str:
        """The quick form of a password that was made by a machine: seeds, load tests."""
        digest = hashlib.sha256(password.encode("utf-8", "surrogatepass")).hexdigest()
        return self.import_digest(digest)

    def import_digest(self, digest: str) -> str:
        """Wrap an imported SHA-256 digest (64 lower-case hex digits)."""
        mac = hmac.digest(self._pepper, digest.encode(), "sha256")
        return IMPORTED + mac.hex()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, stored: str, password: str) -> bool:
        try:
            return self._argon.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, waiting_max: int, work: Callable[..., T], *given: str) -> T:
        if self._waiting >= waiting_max:
            raise PasswordsBusy
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *given)
        finally:
            self._waiting -= 1


def check_strength(password: str) -> None:
    """Length alone: rules about kinds of characters make passwords worse (NIST SP 800-63B)."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise WeakPassword


def is_imported(stored: str) -> bool:
    return stored.startswith(IMPORTED)


def is_digest(text: str) -> bool:
    """Whether it is SHA-256 in lower-case hex."""
    return DIGEST.fullmatch(text) is not None
