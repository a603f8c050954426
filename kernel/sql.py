"""SQL is kept in files of named blocks: `-- name: verb_noun`, a comment, the statement."""

from collections.abc import Iterator, Mapping
from pathlib import Path

NAME_MARK = "-- name:"


class Queries(Mapping[str, str]):
    """The statements of one folder by name. An unknown name is our own bug: KeyError."""

    def __init__(self, statements: dict[str, str]) -> None:
        self._statements = statements

    def __getitem__(self, name: str) -> str:
        return self._statements[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)

    def __len__(self) -> int:
        return len(self._statements)


def load_queries(folder: Path) -> Queries:
    """Read every `*.sql` of the folder. A name given twice is refused, for one would be lost."""
    statements: dict[str, str] = {}
    for file in sorted(folder.glob("*.sql")):
        for block in file.read_text("utf-8").split(NAME_MARK)[1:]:
            name, _, text = block.partition("\n")
            name = name.strip()
            assert name not in statements, f"{file.name}: {name} is defined twice"
            statements[name] = f"/* {name} */ {text.strip()}"
    return Queries(statements)
