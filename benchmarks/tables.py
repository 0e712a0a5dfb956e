"""Markdown tables that line up on a screen, and a copy of what is printed in a file."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A Markdown table; the first column names the rows."""
    cells = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for row in [cells[0], rule, *cells[1:]]:
        first, *rest = zip(row, widths, strict=True)
        aligned = [f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in rest)]
        print("| " + " | ".join(aligned) + " |", flush=True)


@contextmanager
def copied_to(path: Path | None):
    """While it lasts, what goes to the standard output goes to the file too, where one is named."""
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    screen = sys.stdout
    with path.open("w", encoding="utf-8") as file:
        sys.stdout = _Both(screen, file)
        try:
            yield
        finally:
            sys.stdout = screen


class _Both:
    """A text stream that writes to two."""

    def __init__(self, *streams):
        self.streams = streams

    def write(self, text: str) -> int:
        for stream in self.streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self.streams:
            stream.flush()
