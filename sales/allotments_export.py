"""What the owner of a hall is told of his seats, as a program and as a spreadsheet read it.

Money is decimal tenge, times are ISO 8601. `final` is the report and what was sold when it was
written; until then there is only what is sold by now.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

from kernel.values import tenge
from sales.allotments import OwnersView, Report, SoldRow, Standing

COLUMNS: Final = (
    "zone_no",
    "zone",
    "channel",
    "given",
    "deadline",
    "state",
    "row",
    "seats",
    "sold",
    "revenue",
)


def as_data(view: OwnersView) -> dict[str, Any]:
    """For JSON: each zone with what is sold now by row, and the report once there is one."""
    return {
        "event": view.event_id,
        "zones": [
            {
                "zone_no": one.zone_no,
                "zone": one.name,
                "channel": one.channel,
                "given": one.places,
                "listed": one.is_listed,
                "deadline": one.deadline.isoformat(),
                "state": one.state,
                "sold": one.sold,
                "paying": one.paying,
                "left": one.left,
                "revenue": tenge(one.revenue),
                "rows": _rows(one.zone_no, view.rows),
                "final": one.report and _final(one, one.report, view.reported),
            }
            for one in view.standings
        ],
    }


def as_csv(view: OwnersView) -> str:
    """A line for each row with something sold: as reported where a zone is over, else as it is now;
    a zone where nothing is sold has one line.
    """
    told = io.StringIO()
    writer = csv.writer(told)
    writer.writerow(COLUMNS)
    for one in view.standings:
        zone = (one.zone_no, one.name, one.channel, one.places, one.deadline.isoformat(), one.state)
        rows = view.reported if one.report else view.rows
        sold = [row for row in rows if row.zone_no == one.zone_no]
        for row in sold:
            seats = " ".join(map(str, row.seats))
            writer.writerow((*zone, row.row, seats, len(row.seats), tenge(row.revenue)))
        if not sold:
            writer.writerow((*zone, "", "", 0, tenge(0)))
    return told.getvalue()


def _final(one: Standing, report: Report, reported: Sequence[SoldRow]) -> dict[str, Any]:
    return {
        "given": report.given,
        "sold": report.sold,
        "returned": report.returned,
        "revenue": tenge(report.revenue),
        "reported_at": report.reported_at.isoformat(),
        "returned_since": one.returned_since,
        "rows": _rows(one.zone_no, reported),
    }


def _rows(zone_no: int, rows: Sequence[SoldRow]) -> list[dict[str, Any]]:
    return [
        {"row": row.row, "seats": list(row.seats), "revenue": tenge(row.revenue)}
        for row in rows
        if row.zone_no == zone_no
    ]
