"""How the provider says no: a status and nothing else (contract §2)."""

from http import HTTPStatus

from kernel.errors import Refusal


class ProviderRefusal(Refusal):
    """No."""


class Malformed(ProviderRefusal):
    """An id or a number that is none."""

    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "malformed"


class Unknown(ProviderRefusal):
    """A place or an order that the writing side does not have: an inner error, as in the source."""

    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "unknown"


class Crash(ProviderRefusal):
    """The inner error of a place that is free and shall be released, and of nothing foreseen."""

    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "crash"


class LostRace(ProviderRefusal):
    """Somebody wrote between our reading and our writing."""

    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "lost-race"


class WrongState(ProviderRefusal):
    """Taken, not started, not joined, or over."""

    status, code = HTTPStatus.CONFLICT, "wrong-state"


class BadBody(ProviderRefusal):
    """A body, or an id in it or beside it, that cannot be read."""

    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "bad-body"


class NotShown(ProviderRefusal):
    """Not in the read model: unknown, or not there yet."""

    status, code = HTTPStatus.NOT_FOUND, "not-shown"
