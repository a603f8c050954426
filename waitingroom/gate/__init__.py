"""The gate for other sites: puts the waiting room in front of any ASGI app.

    from waitingroom.gate import QueueGate

    app.add_middleware(QueueGate, room="https://queue.example", protect={"/concert": 1})

Passes are verified here, with the room's public keys; the room is asked for those and for its mode
in the background, never about a visitor. This package imports PyJWT (with cryptography), msgspec
and the standard library, and nothing else of ours.
"""

from waitingroom.gate.middleware import QueueGate
from waitingroom.gate.used import MemoryUsedPasses, UsedPasses

__all__ = ["MemoryUsedPasses", "QueueGate", "UsedPasses"]
