"""What a run of tests need not pay for: work that a process does once, and the impatience of a
server whose visitors wait.
"""

import functools
import sys
from typing import ClassVar

import jinja2
import pytest
from jinja2.bccache import Bucket, BytecodeCache

from kernel import i18n

PATIENCE_S = 30.0


class Kept(BytecodeCache):
    """Compiled templates; Jinja itself looks whether the source is still the same."""

    codes: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.codes:
            bucket.bytecode_from_string(self.codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.codes[bucket.key] = bucket.bytecode_to_string()


class Environment(jinja2.Environment):
    def __init__(self, **given) -> None:
        super().__init__(**given, bytecode_cache=Kept())


def read_once(patch: pytest.MonkeyPatch) -> None:
    """Translations are read and templates compiled once a run; who does it is the product."""
    patch.setattr("kernel.i18n._load", functools.cache(i18n._load))
    patch.setattr("jinja2.Environment", Environment)


def be_patient(patch: pytest.MonkeyPatch) -> None:
    """On a machine that does other things as well Redis and PostgreSQL are late, not away. Tests of
    an engine that stands still set their own limits, or ask the whole running system.
    """
    patch.setattr("waitingroom.store.REDIS_TIMEOUT_S", PATIENCE_S)
    # Those who have taken it from there already.
    for name, module in sys.modules.items():
        if name.startswith("waitingroom.") and hasattr(module, "REDIS_TIMEOUT_S"):
            patch.setattr(module, "REDIS_TIMEOUT_S", PATIENCE_S)
    patch.setattr("kernel.db.ACQUIRE_TIMEOUT_S", PATIENCE_S)
