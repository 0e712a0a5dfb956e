"""Dask's performance report of each stage, for whoever wants to know where the time went."""

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack

import fsspec
from distributed import performance_report

from pipelines.engine import Event
from pipelines.plan import ShardTask

log = logging.getLogger(__name__)


class StageReports:
    """Writes ``FOLDER/STAGE.html`` for each stage as its last task ends.

    A stage's report begins where its first task can start: with the run, or with the first shard
    of the stage that it reads. Stages that overlap show each other's tasks, in another colour.

    Args:
        tasks: the plan.
        folder: or URL, for the files.
    """

    def __init__(self, tasks: Sequence[ShardTask], folder: str):
        self._left = Counter(task.stage for task in tasks)
        self._after = {t.stage: t.depends and t.depends.partition("/")[0] for t in tasks}
        self._folder = folder.rstrip("/")
        self._open: dict[str, ExitStack] = {}

    def __enter__(self) -> "StageReports":
        files, folder = fsspec.core.url_to_fs(self._folder)
        files.makedirs(folder, exist_ok=True)
        self._begin(None)
        return self

    def __exit__(self, *error: object) -> None:
        for stage in [*self._open]:
            self._end(stage)

    def __call__(self, event: Event) -> None:
        """Take an event of the engine."""
        self._begin(event.stage)
        self._left[event.stage] -= 1
        if not self._left[event.stage] and event.stage in self._open:
            self._end(event.stage)

    def _begin(self, before: str | None) -> None:
        for stage, after in self._after.items():
            if after == before and self._left[stage] and stage not in self._open:
                self._open[stage] = ExitStack()
                report = performance_report(filename=f"{self._folder}/{stage}.html")
                self._open[stage].enter_context(report)

    def _end(self, stage: str) -> None:
        try:
            self._open.pop(stage).close()
        except (OSError, RuntimeError, ValueError) as error:  # a report is not worth a run
            log.warning("no performance report of stage '%s': %r", stage, error)
