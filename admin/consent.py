"""What can't be taken back is done by whoever names it and says why."""

from typing import ClassVar

from kernel.errors import BadInput

REASON_CHARS = range(3, 301)


class NotConfirmed(BadInput):
    """Введите номер этого мероприятия."""

    code: ClassVar[str] = "not-confirmed"


class ReasonNeeded(BadInput):
    """Напишите причину: от 3 до 300 знаков."""

    code: ClassVar[str] = "reason-needed"


def reason_with_number(event_id: int, number: str, reason: str) -> str:
    """The reason as one line. `number` is typed by whoever does it. Raises NotConfirmed,
    ReasonNeeded.
    """
    if number.strip() != str(event_id):
        raise NotConfirmed
    return reason_of(reason)


def reason_of(text: str) -> str:
    """As one line. Raises ReasonNeeded."""
    reason = " ".join(text.split())
    if len(reason) not in REASON_CHARS:
        raise ReasonNeeded
    return reason
