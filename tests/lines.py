"""Who runs beside whom when the tests are shared out among processes."""

from xdist.scheduler import LoadScopeScheduling

# Folders whose tests drive the whole running system, or processes they wait for.
SYSTEM = ("tests/process/", "tests/browser/")


def drives_the_system(nodeid: str) -> bool:
    return nodeid.startswith(SYSTEM)


class Lines(LoadScopeScheduling):  # type: ignore[misc]  # the library tells no types
    """Whoever drives the whole system stands in one line, so that there is one such system and
    nobody's patience is measured against a neighbour's; the others go by files.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "system" if drives_the_system(nodeid) else nodeid.partition("::")[0]
