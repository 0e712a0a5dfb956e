"""Where tasks run: the protocol that the engine speaks, and the one that runs them right here."""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from pipelines.plan import ShardTask

Outcome = dict[str, Any]


class KilledWorker(RuntimeError):
    """The worker that had a task died, more often than may be called chance."""

    def __init__(self) -> None:
        super().__init__(
            "its worker died each time; expected a normal end; look in the system log for a lack "
            "of memory or a machine that goes down, then run the same command to go on"
        )


class Executor(Protocol):
    """Takes tasks and gives back their outcomes, in any order.

    Attributes:
        pending: tasks taken and not given back.
    """

    pending: int

    def __enter__(self) -> "Executor":
        """Ready to take tasks."""

    def __exit__(self, *error: object) -> None:
        """Cancel what is in flight."""

    def window(self) -> int:
        """How many tasks may be in flight now."""

    def submit(self, task: ShardTask, function: Callable[..., Outcome], args: tuple) -> None:
        """Take a task; ``function(*args)`` will answer for it."""

    def next(self) -> tuple[ShardTask, Outcome | BaseException]:
        """Wait for a task to end; its outcome, or what killed it."""


class Inline:
    """Runs each task in this process when its outcome is asked for."""

    def __init__(self) -> None:
        self._queue: deque[tuple[ShardTask, Callable[..., Outcome], tuple]] = deque()

    def __enter__(self) -> "Inline":
        return self

    def __exit__(self, *error: object) -> None:
        self._queue.clear()

    @property
    def pending(self) -> int:
        return len(self._queue)

    def window(self) -> int:
        return 1

    def submit(self, task: ShardTask, function: Callable[..., Outcome], args: tuple) -> None:
        self._queue.append((task, function, args))

    def next(self) -> tuple[ShardTask, Outcome | BaseException]:
        task, function, args = self._queue.popleft()
        return task, function(*args)
