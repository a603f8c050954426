"""The door between room and shop, as the shop sees it: who has no pass is shown the queue.

People are sent to the queue page; programs get 429 with `Retry-After` and a link to it.
"""

from datetime import datetime
from typing import Any, ClassVar, Protocol, cast, runtime_checkable
from urllib.parse import quote

from litestar import Request, Response
from litestar.response import Redirect

from kernel.errors import Refusal
from kernel.values import EventId
from kernel.web.links import Links
from kernel.web.pages import wants_html
from kernel.web.problems import answer_refusal

# A program that was sent to the queue need not ask again sooner.
RETRY_AFTER_S = 10


@runtime_checkable
class RoomModes(Protocol):
    def is_open(self, event_id: EventId) -> bool:
        """No pass is needed: the event's room is off. Unknown rooms count as closed doors."""
        ...

    def armed_at(self, event_id: EventId) -> datetime | None:
        """Since when an automatic room is armed: programs may be let in without a pass, and who
        was shopping goes on. None: the room isn't automatic, or open, or unknown.
        """
        ...

    def came(self, event_id: EventId) -> None:
        """Somebody asks for a page of the event, or for seats. Automatic rooms are told."""
        ...


class QueueNeeded(Refusal):
    """Сначала нужно пройти очередь."""

    status: ClassVar[int] = 429
    code: ClassVar[str] = "pass-needed"

    def __init__(
        self, event_id: int, *, retry_after_s: int = RETRY_AFTER_S, reason: str = ""
    ) -> None:
        """`reason`: why an automatic room does not let a program in just now."""
        super().__init__(retry_after_s=retry_after_s, event_id=event_id)
        if reason:
            self.extra["reason"] = reason
        self.event_id = event_id


def show_queue(request: Request[Any, Any, Any], refusal: QueueNeeded) -> Response[Any]:
    """For the sales app's `exceptions`: {QueueNeeded: show_queue}."""
    links = cast("Links", request.app.state["links"])
    page = links.to("waitingroom", request, f"/queue/{refusal.event_id}")
    if wants_html(request):
        back = links.to("sales", request, f"/events/{refusal.event_id}")
        return Redirect(f"{page}?return_to={quote(back, safe='')}", status_code=303)
    refusal.headers["Link"] = f'<{page}>; rel="queue"'
    return answer_refusal(request, refusal)
