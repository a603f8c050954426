"""The bell between relay and worker: an RQ queue whose jobs carry nothing."""

from typing import Final

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from workers.jobs import DRAIN_OUTBOX

QUEUE: Final = "outbox"
# Bells that wait to be heard: one more than a busy worker needs, in case it just stopped looking.
RINGS_MAX: Final = 2
# A drain hands back by itself long before; this is for a worker that is stuck.
DRAIN_TIMEOUT_S: Final = 120
# A bell nobody heard is rung anew anyway.
RING_TTL_S: Final = 60
FAILURE_TTL_S: Final = 24 * 3600


class Doorbell:
    def __init__(self, redis: "Redis") -> None:
        """`redis` is a blocking client, as RQ needs; it answers bytes."""
        self.queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)

    def answers(self) -> bool:
        """True, or RedisError: whether a bell could be rung. Blocks for a moment."""
        return bool(self.queue.connection.ping())

    def ring(self) -> bool:
        """False: enough bells are waiting already. Blocks for a moment."""
        if self.queue.count >= RINGS_MAX:
            return False
        self.queue.enqueue_call(
            DRAIN_OUTBOX,
            timeout=DRAIN_TIMEOUT_S,
            ttl=RING_TTL_S,
            result_ttl=0,
            failure_ttl=FAILURE_TTL_S,
            description=DRAIN_OUTBOX,
        )
        return True
