"""The page by itself, from a set's sidecars alone: with a run going on or without."""

import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.server.server import Server

from manifests.shard_summary import SummaryReader
from pipelines.cluster import free_address
from pipelines.dashboard.page import ROUTE, build
from pipelines.dashboard.pulse import Pulse
from pipelines.dashboard.sheet import make_sheet
from pipelines.plan import load_plan
from pipelines.status import find_runner

_EVERY_S = 2.0
_RECENT_S = 180.0  # a set whose last shard is younger counts as running, if nobody says who runs


class SetFigures:
    """A set's snapshot and last sheet, read from its folder.

    Args:
        out: the set's folder.

    Raises:
        BadInput: the folder has no plan.
    """

    def __init__(self, out: Path):
        plan = load_plan(out)
        self._out, self._hash = out, plan["config_hash"]
        self._shards = Counter(name.partition("/")[0] for name, _, _ in plan["shards"])
        self._last_stage = [*self._shards][-1] if self._shards else ""
        self._reader = SummaryReader(out, self._shards, self._last_stage)
        self._pulse = Pulse(self._title, self._shards)
        self._sheet: dict[str, Any] | None = None
        self._newest = ""
        self._lock, self._read_at = threading.Lock(), float("-inf")
        self._cost_s = 0.0

    def read(self) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Snapshot and sheet; the folder is looked at every few seconds, and never for more than a
        tenth of the time."""
        with self._lock:
            started = time.monotonic()
            if started - self._read_at > max(_EVERY_S, 10 * self._cost_s):
                self._refresh()
                self._read_at = time.monotonic()
                self._cost_s = self._read_at - started
            return self._pulse.snapshot(), self._sheet

    @property
    def _title(self) -> str:
        return self._out.absolute().name

    def _refresh(self) -> None:
        new, changed = self._reader.refresh()
        if changed:
            self._pulse, new = Pulse(self._title, self._shards), [*self._reader.summaries.values()]
        for summary in new:
            if summary.config_hash == self._hash:
                self._pulse.take(summary)
        now = time.time()
        pictured = [s for s in new if s.stage == self._last_stage and s.count]
        last = max((s.ended for s in self._reader.summaries.values()), default=0.0)
        if pictured:
            newest = max(pictured, key=lambda s: (s.ended, s.name))
            self._sheet = make_sheet(self._out / f"{newest.name}.tar") or self._sheet
        running = find_runner(self._out, now) or now - last < _RECENT_S
        self._pulse.state = (
            "complete" if self._pulse.complete else "running" if running else "stopped"
        )


def open_server(out: Path, address: str) -> tuple[Server, str]:
    """A web server with the page of a set; start it with ``run_until_shutdown``. And its link.

    Args:
        address: HOST:PORT; a free port where this one is taken or 0.

    Raises:
        BadInput: the folder has no plan, or the address makes no sense.
    """
    figures = SetFigures(out)
    host, _, port = free_address(address).rpartition(":")
    number = int(port) or _free_port(host)
    application = Application(FunctionHandler(lambda document: build(document, figures.read)))
    # A page of another site must not read this one through the browser of who looks at it.
    loopback = host in ("127.0.0.1", "localhost")
    names = ("127.0.0.1", "localhost") if loopback else ("*",)
    origins = [f"{name}:{number}" for name in names]
    server = Server({ROUTE: application}, address=host, port=number, allow_websocket_origin=origins)
    return server, f"http://{host}:{number}{ROUTE}"


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]
