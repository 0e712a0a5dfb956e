"""Keeps an eye on the workers during a run: how many there are, and whether newcomers will do."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError

from distributed import Client
from distributed.comm import CommClosedError

from faces.errors import BadInput

log = logging.getLogger(__name__)

_LOOK_S = 2.0  # between looks
_QUIET_S, _TELL_S = 20.0, 60.0  # until the first word about missing workers; between words


class WorkerWatch:
    """Looks at a client's workers from a thread of its own.

    Args:
        client: to ask.
        check: called with addresses of workers that came during the run; raises BadInput for
            those that must not be used. None where all are of one making.
        give_up_s: seconds without any worker after which ``on_give_up`` is called; 0: never.
        on_give_up: ends the wait of whoever waits for a result.
        times: seconds (between looks, until the first word, between words); for tests.
    """

    def __init__(
        self,
        client: Client,
        check: Callable[[list[str]], None] | None = None,
        give_up_s: float = 0.0,
        on_give_up: Callable[[], None] = lambda: None,
        times: tuple[float, float, float] = (_LOOK_S, _QUIET_S, _TELL_S),
    ):
        self._client, self._check = client, check
        self._give_up_s, self._on_give_up, self._times = give_up_s, on_give_up, times
        self._known = set(client.nthreads())
        self.count = len(self._known)
        self.gave_up = ""  # in words, once it has
        self._stop = threading.Event()
        self._gone_since = self._told = 0.0
        self._thread = threading.Thread(target=self._run, name="worker-watch", daemon=True)

    def __enter__(self) -> "WorkerWatch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.wait(self._times[0]) and not self.gave_up:
            try:
                self._look(set(self._client.nthreads()), time.monotonic())
            except (OSError, CommClosedError, TimeoutError, CancelledError, RuntimeError) as error:
                log.debug("the scheduler does not answer: %r", error)  # the engine sees to that

    def _look(self, now_there: set[str], now: float) -> None:
        newcomers = sorted(now_there - self._known)
        self._known = now_there
        self.count = len(now_there)
        if newcomers and self._check:
            self._examine(newcomers)
        if now_there:
            if self._gone_since and self._told:
                log.info("%d workers are there again", len(now_there))
            self._gone_since = self._told = 0.0
        else:
            self._gone_since = self._gone_since or now
            self._miss(now - self._gone_since, now)

    def _examine(self, newcomers: list[str]) -> None:
        for worker in newcomers:
            try:
                self._check([worker])
            except BadInput as error:
                log.error("worker %s is sent away: %s", worker, error)
                self._client.retire_workers([worker])

    def _miss(self, seconds: float, now: float) -> None:
        _, quiet, tell = self._times
        if self._give_up_s and seconds >= self._give_up_s:
            self.gave_up = f"no worker for {seconds:.0f} s (--cluster.give-up-s)"
            self._on_give_up()
        elif seconds >= quiet and (not self._told or now - self._told >= tell):
            self._told = now
            log.warning(
                "no worker for %.0f s; still waiting. Look whether jobs are queued, machines up "
                "and logs quiet; start one with 'dask worker %s --nthreads 1'. Ctrl-C keeps what "
                "is committed",
                seconds,
                self._client.scheduler.address,
            )
