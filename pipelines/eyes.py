"""Who looks on while a plan runs: the terminal, a machine, the page, Dask's reports."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pipelines.config import RunOptions
from pipelines.engine import Event
from pipelines.plan import ShardTask
from pipelines.progress import open_progress


@contextmanager
def follow(
    tasks: Sequence[ShardTask], options: RunOptions, client: Any = None
) -> Iterator[Callable[[Event], None]]:
    """What run_plan's ``on_event`` is to call, for all that the options ask for.

    Args:
        tasks: the plan.
        client: distributed.Client, or None.
    """
    with ExitStack() as stack:
        eyes: list[Callable[[Event], None]] = []
        if client is not None:
            eyes += _on_the_cluster(tasks, options, client, stack)
        # The last one opened, so that its lines come after what the others say.
        eyes.append(stack.enter_context(open_progress(tasks, sys.stderr, options.progress)))
        yield lambda event: [eye(event) for eye in eyes] and None


def _on_the_cluster(
    tasks: Sequence[ShardTask], options: RunOptions, client: Any, stack: ExitStack
) -> Iterator[Callable[[Event], None]]:
    from pipelines.clusters.reports import StageReports
    from pipelines.dashboard.feed import Feed, open_page

    if send := open_page(client):
        title = Path(options.out).absolute().name
        yield stack.enter_context(Feed(tasks, title, send))
    if options.performance_report:
        yield stack.enter_context(StageReports(tasks, options.performance_report))
