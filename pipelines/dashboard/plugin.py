"""The page as a part of a Dask scheduler's own dashboard, at /facesynth."""

import logging
from typing import Any

from distributed import Scheduler, SchedulerPlugin

log = logging.getLogger(__name__)


class Page(SchedulerPlugin):
    """Adds the page to the scheduler's web server, and takes the figures that a driver sends.

    The newest snapshot is all that is kept: a run sends everything anew every few seconds.
    """

    name = "facesynth-page"
    idempotent = True  # a second run on this scheduler finds it there

    def __init__(self) -> None:
        self.snapshot: dict[str, Any] | None = None
        self.sheet: dict[str, Any] | None = None

    async def start(self, scheduler: Scheduler) -> None:
        """Called by Dask as the plugin reaches the scheduler."""
        from distributed.dashboard.core import BokehApplication
        from tornado.ioloop import IOLoop

        from pipelines.dashboard.page import ROUTE

        scheduler.handlers["facesynth_pulse"] = self.take
        application = BokehApplication({ROUTE: _document}, scheduler)
        scheduler.http_application.add_application(application)
        application.initialize(IOLoop.current())
        application.start()

    async def take(self, snapshot: dict | None = None, sheet: dict | None = None) -> None:
        """What a driver sends; None leaves what is there."""
        new_set = snapshot and self.snapshot and snapshot["title"] != self.snapshot["title"]
        self.sheet = sheet or (None if new_set else self.sheet)
        self.snapshot = snapshot or self.snapshot

    def read(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """Snapshot and sheet, for the page."""
        return self.snapshot, self.sheet


def _document(scheduler: Scheduler, extra: dict[str, Any], document: Any) -> None:
    from pipelines.dashboard.page import build

    build(document, scheduler.plugins[Page.name].read, dask_page="status")
