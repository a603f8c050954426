"""One duty's log file: raw lines, the last few files of a bounded size."""

import contextlib
from pathlib import Path

SIZE_BYTES_MAX = 20 * 1024 * 1024
OLD_FILES_MAX = 3


class LogFile:
    """Appends; past `SIZE_BYTES_MAX` the file becomes `.1`, the one before `.2` and so on."""

    def __init__(self, path: Path, size_max: int = SIZE_BYTES_MAX) -> None:
        self.path = path
        self._size_max = size_max
        self._file = path.open("ab")

    def write(self, line: bytes) -> None:
        """One line with its end. A full disk loses the line, never the duty."""
        with contextlib.suppress(OSError):
            self._file.write(line)
            self._file.flush()
            if self._file.tell() > self._size_max:
                self._rotate()

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(OLD_FILES_MAX, 0, -1):
            older = self.path if number == 1 else self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        self._file = self.path.open("ab")

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
