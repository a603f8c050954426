"""An invitation in the queue page's address: what it says is told before it is used."""

import msgspec

from kernel.errors import Refusal
from waitingroom.invitations import INVITE_REFUSALS, TOKEN_MAX
from waitingroom.room import Rooms
from waitingroom.web.entrance import AnyRequest
from waitingroom.web.view import PageView

# Where a place in the lane is still to be had, and a place in the line may be changed for it.
JOINABLE = ("before", "crowded", "left", "lapsed", "over", "moved", "restarted")
CHANGEABLE = ("waiting", "paused", "prequeue")
BY_CODE = {refusal.code: refusal for refusal in INVITE_REFUSALS}


def with_invite(request: AnyRequest, rooms: Rooms, view: PageView, visitor: str) -> PageView:
    """The view with the good invitation of `?invite=`, or with what is wrong with it; `?refused=`
    is the code of what joining with it came to.
    """
    token = request.query_params.get("invite", "")
    if not token or view.shows not in (*JOINABLE, *CHANGEABLE):
        return view
    if view.place is not None and view.place.invited and view.shows in CHANGEABLE:
        return view
    refused = BY_CODE.get(request.query_params.get("refused", ""))
    if refused is not None:
        return msgspec.structs.replace(view, invite_wrong=refused().detail)
    try:
        rooms.invitations.read(view.event, token, visitor)
    except Refusal as refusal:
        return msgspec.structs.replace(view, invite_wrong=refusal.detail)
    return msgspec.structs.replace(view, invite=token[:TOKEN_MAX])
