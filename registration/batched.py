"""T-ICP on many scans side by side, their linear systems solved together on a torch device.

Every scan goes through registration.ticp's own steps. At each of their linear systems it waits for
the others, and the batch is solved at once (registration.batched_solver). The solutions agree with
the CPU's so closely that the same pixels are matched after them. Matches, visibility and texture
are the CPU's own.
"""

from collections.abc import Generator, Sequence

from faces.blas import one_thread
from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from registration.batched_solver import solve_together, torch_device
from registration.nonrigid import System
from registration.ticp import TicpSettings, registering


@one_thread
def register_batch(
    scans: Sequence[Scan],
    model: MorphableModel,
    settings: TicpSettings | None = None,
    device: str = "cuda",
) -> list[RegisteredFace | Exception]:
    """``registration.ticp.register`` on each scan; what one of them raises sinks no other.

    Args:
        scans: as of ``register``.
        model: two levels or one.
        settings: TicpSettings() where None.
        device: "cuda", "cuda:N", or "cpu-torch" for torch on the processor.

    Returns:
        For each scan its face, equal to ``register``'s to 0.01 mm, or the exception that
        ``register`` would raise.

    Raises:
        MissingExtra: torch is not installed.
        BadInput: no such device.
    """
    where = torch_device(device)
    runs = [_Run(registering(scan, model, settings)) for scan in scans]
    while waiting := [run for run in runs if run.system is not None]:
        for batch in _alike(waiting):
            for run, solution in zip(batch, _solve(batch, where), strict=True):
                run.go_on(solution)
    return [run.outcome for run in runs]


class _Run:
    """One scan's registration: at a linear system, or done with an outcome."""

    def __init__(self, steps: Generator):
        self.steps = steps
        self.system: System | None = None
        self.outcome: RegisteredFace | Exception | None = None
        self.go_on(None)

    def go_on(self, solution):
        """On to the next system, from the last one's displacements or from why it has none."""
        self.system = None
        try:
            failed = isinstance(solution, Exception)
            self.system = (self.steps.throw if failed else self.steps.send)(solution)
        except StopIteration as end:
            self.outcome = end.value
        except Exception as error:
            self.outcome = error


def _alike(runs):
    """Runs whose systems share all that solve_together shares, in the order of the scans."""
    groups: dict[tuple, list[_Run]] = {}
    for run in runs:
        one = run.system
        alike: tuple = (run,)  # another energy's system, solved by itself
        if isinstance(one, System):
            alike = (one.template, one.membrane, one.bending, one.direct, one.tolerance)
        groups.setdefault(alike, []).append(run)
    return groups.values()


def _solve(batch, device):
    """Displacements of systems that are alike, or why there are none."""
    if isinstance(batch[0].system, System):
        return solve_together([run.system for run in batch], device)
    try:
        return [batch[0].system.solve()]
    except ValueError as error:
        return [error]
