"""Sends what a run makes from its driver to the page on the scheduler."""

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from distributed import Client

from manifests.shard import BadShard
from manifests.shard_summary import read_summary
from pipelines.dashboard.plugin import Page
from pipelines.dashboard.pulse import Pulse
from pipelines.dashboard.sheet import make_sheet
from pipelines.engine import Event
from pipelines.plan import ShardTask

log = logging.getLogger(__name__)

_EVERY_S, _SHEET_S = 2.0, 10.0

Send = Callable[[dict[str, Any] | None, dict[str, Any] | None], None]


def open_page(client: Client) -> Send | None:
    """Put the page on the client's scheduler; how to send to it. None where it cannot be there:
    a scheduler without this project, bokeh or the permission to be given code."""
    try:
        client.register_plugin(Page())
        send = client.scheduler.facesynth_pulse
    except Exception as error:  # whatever the scheduler's process raises
        log.info("no page at /facesynth: %s; 'synth dashboard OUT' shows it anyway", error)
        return None
    log.info("our page: %s", client.dashboard_link.replace("/status", "/facesynth"))
    return lambda snapshot, sheet: client.sync(
        send, snapshot=snapshot, sheet=sheet, callback_timeout=10
    )


class Feed:
    """Reads each committed shard's sidecar in a thread, and sends the figures now and then.

    Give it to run_plan as ``on_event``, in a ``with`` block. The thread's trouble is no trouble of
    the run: it is logged, and the page stands still.

    Args:
        tasks: the plan.
        title: of the page.
        send: of open_page.
        every_s: seconds between two sendings; for tests.
    """

    def __init__(
        self, tasks: Sequence[ShardTask], title: str, send: Send, every_s: float = _EVERY_S
    ):
        self._paths = {task.name: task.path for task in tasks}
        self._last_stage = tasks[-1].stage if tasks else ""
        self._pulse = Pulse(title, Counter(task.stage for task in tasks))
        self._send, self._every_s = send, every_s
        self._events: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="dashboard-feed", daemon=True)
        self._newest: Path | None = None  # the shard for the next contact sheet
        self._sheet_at = float("-inf")

    def __enter__(self) -> "Feed":
        self._pulse.state = "running"
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._events.put(None)
        self._thread.join(timeout=20)

    def __call__(self, event: Event) -> None:
        """Take an event of the engine; returns at once."""
        if event.kind != "blocked":
            self._events.put(event.task)

    def _run(self) -> None:
        try:
            self._send(self._pulse.snapshot(), None)
            while self._gather():
                self._tell()
            self._pulse.state = "complete" if self._pulse.complete else "stopped"
            self._sheet_at = float("-inf")
            self._tell()
        except Exception as error:  # the connection's many kinds of end
            log.info("the page at /facesynth stands still: %r", error)

    def _gather(self) -> bool:
        """Take what comes until it is time to send; whether more may come."""
        deadline = time.monotonic() + self._every_s
        while (wait := deadline - time.monotonic()) > 0:
            try:
                name = self._events.get(timeout=wait)
            except queue.Empty:
                break
            if name is None:
                return False
            self._take(name)
        return True

    def _take(self, name: str) -> None:
        poses = name.partition("/")[0] == self._last_stage
        try:
            summary = read_summary(self._paths[name], poses)
        except (OSError, BadShard) as error:
            log.debug("shard '%s' is not on the page: %s", name, error)
            return
        self._pulse.take(summary)
        if poses and summary.count:
            self._newest = self._paths[name]

    def _tell(self) -> None:
        sheet = None
        if self._newest and time.monotonic() - self._sheet_at > _SHEET_S:
            sheet, self._newest = make_sheet(self._newest), None
            self._sheet_at = time.monotonic()
        self._send(self._pulse.snapshot(), sheet)
