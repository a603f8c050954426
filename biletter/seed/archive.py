"""A handful of finished events, so that search over the archive can be tried at once. The
millions come by import.
"""

from datetime import datetime

import msgspec

from biletter.seed.plan import HALL_ZONE

FIRST_ARCHIVED_ID = 100_000
# Kind, title, the hall's own time, description; kinds and words as in the archive's files.
EVENTS = (
    ("film", 'Экспозиция "Звездные войны"', "2024-12-25T19:00", "Кинопоказ с обсуждением."),
    ("exhibition", 'Экспозиция "Звездные войны"', "2019-05-04T17:30", "Костюмы, модели, макеты."),
    ("game", "Финал лиги настольных игр", "2024-12-25T18:15", "Вечер азарта и точного расчёта."),
    ("sport", "Кубок города по баскетболу", "2018-03-17T18:00", "Полные трибуны, много азарта."),
    ("concert", "Рождественский концерт", "2024-12-25T20:00", "Хор, орган и свечи."),
    ("theater", "Вишнёвый сад", "2016-10-08T18:30", "Пьеса в четырёх действиях."),
    ("cinema", "Ночь короткого метра", "2021-09-11T21:45", "Двадцать фильмов до рассвета."),
    ("concert", "Большой летний концерт", "2015-06-20T19:00", "Лучшие песни под открытым небом."),
    ("exhibition", "Золото сакских курганов", "2017-04-02T17:00", "Находки последних лет."),
    ("film", "Фестиваль степного кино", "2022-08-27T20:30", "Показ под открытым небом."),
)


class ArchivedEvent(msgspec.Struct, frozen=True):
    """Names, kind and time only: the halls of the archive are not known."""

    id: int
    kind: str
    title: str
    starts_at: datetime
    description: str


def archive() -> list[ArchivedEvent]:
    return [
        ArchivedEvent(
            number, kind, title, datetime.fromisoformat(moment).replace(tzinfo=HALL_ZONE), text
        )
        for number, (kind, title, moment, text) in enumerate(EVENTS, start=FIRST_ARCHIVED_ID)
    ]
