"""What the queue page's forms send."""

from urllib.parse import parse_qs

from kernel.errors import BadInput
from waitingroom.web.entrance import AnyRequest

FORM_MAX = 8_192
FIELDS_MAX = 10


async def form_of(request: AnyRequest) -> dict[str, str]:
    """The form's fields; a form that isn't one is refused before anything is done."""
    raw = await request.body()
    if len(raw) > FORM_MAX:
        raise BadInput
    try:
        fields = parse_qs(raw.decode(), max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise BadInput from error
    return {name: values[0] for name, values in fields.items()}
