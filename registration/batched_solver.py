"""The systems of many scans solved at once on a torch device, to the accuracy of the CPU.

Scans at the same stage of their registration differ in the diagonal and the right-hand side alone.
All are solved by conjugate gradients in float64, with a step length for each scan and column. The
preconditioner is the float32 factor where the CPU solves by a factor: one of its solves errs by
some micrometres, and two to four more refine it to 1e-8 mm. Jacobi alone takes 700 to 3,000
iterations on the default model's fine level; it serves where the CPU uses it too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from faces.errors import BadInput, MissingExtra
from registration.batched_factor import factorise
from registration.nonrigid import System
from registration.template import Template

if TYPE_CHECKING:
    import torch

REFINED = 1e-9  # relative residual; what is left is 1e-8 mm, far below what flips a match


def torch_device(name: str) -> torch.device:
    """The device of a name: "cuda", "cuda:N", or "cpu-torch" for torch on the processor.

    Raises:
        BadInput: no such name, or no such GPU.
        MissingExtra: torch is not installed.
    """
    kind, colon, number = name.partition(":")
    if name != "cpu-torch" and (kind != "cuda" or bool(colon) != number.isdecimal()):
        raise BadInput("device", f"'{name}'", "cpu-torch, cuda or cuda:N", "choose one of them")
    try:
        import torch
    except ImportError as error:
        raise MissingExtra(f"registration on {name}", "train") from error
    if name == "cpu-torch":
        return torch.device("cpu")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number or 0) >= count:
        got = f"'{name}', but torch finds {count} GPUs"
        remedy = "choose another, or install the driver and torch for CUDA"
        raise BadInput("device", got, "a GPU of this machine", remedy)
    return torch.device(name)


def solve_together(
    systems: Sequence[System], device: torch.device
) -> list[np.ndarray | ValueError]:
    """Displacements (n, 3) float64, mm, of each system, or why there are none.

    Args:
        systems: of one template at one stage: alike but for diagonal, right and start.
        device: where to solve.
    """
    import torch

    def send(arrays):
        return torch.as_tensor(np.stack(arrays, axis=1), device=device)

    one = systems[0]
    diagonal = send([system.diagonal for system in systems])[..., None]
    right = send([system.right for system in systems])
    matrices = Matrices(_on_device(one.template, device), one.membrane, one.bending, diagonal)
    start = send([system.start for system in systems])
    if one.direct:
        (precondition, bad), tolerance = _by_factor(matrices, one.template), REFINED
    else:
        (precondition, bad), tolerance = _by_diagonal(matrices), one.tolerance
    x = conjugate_gradients(matrices.multiply, precondition, right, start, tolerance)
    x[:, bad] = torch.nan
    solutions = np.moveaxis(x.cpu().numpy(), 1, 0)
    return [u if np.isfinite(u).all() else _not_definite(len(u)) for u in solutions]


def _not_definite(count):
    return ValueError(
        f"matrix ({count}²): not positive definite, or not finite; "
        "expected a positive definite matrix; give every unknown a weight"
    )


@dataclass(frozen=True, slots=True, eq=False)
class DeviceTemplate:
    """A template's operators on a device; n vertices of at most k neighbours, themselves included.

    Attributes:
        neighbours: (k, n) int64; membrane: (k, n, 1, 1) float64, L there; 0 beyond a row's end.
        inverse_area: (n, 1, 1) float64, M⁻¹.
        pattern, bending: (nnz,) float64, L and L M⁻¹ L as CSR data.
        diagonal: (n,) int64, where the diagonal lies in them.
    """

    neighbours: torch.Tensor
    membrane: torch.Tensor
    inverse_area: torch.Tensor
    pattern: torch.Tensor
    bending: torch.Tensor
    diagonal: torch.Tensor

    def laplacian(self, x: torch.Tensor) -> torch.Tensor:
        """L x of (n, B, 3), a gather a neighbour: the same sum on every run."""
        total = x.new_zeros(x.shape)
        for where, value in zip(self.neighbours, self.membrane, strict=True):
            total.addcmul_(x[where], value)
        return total


@lru_cache(maxsize=16)
def _on_device(template: Template, device: torch.device) -> DeviceTemplate:
    """Sent once a template and device."""
    import torch

    def send(array):
        return torch.as_tensor(array, device=device)

    neighbours, values = _by_neighbour(template.membrane)
    rows = np.repeat(np.arange(len(template.vertices)), np.diff(template.bending.indptr))
    return DeviceTemplate(
        send(neighbours),
        send(values)[..., None, None],
        send(1 / template.area_mm2)[:, None, None],
        send(template.pattern.data),
        send(template.bending.data),
        send(np.flatnonzero(rows == template.bending.indices)),
    )


def _by_neighbour(matrix: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """CSR as columns (k, n) int64 and values (k, n); short rows end in zeros at column 0."""
    counts = np.diff(matrix.indptr)
    rows = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], counts)
    columns = np.zeros((counts.max(), len(counts)), np.int64)
    values = np.zeros(columns.shape)
    columns[place, rows], values[place, rows] = matrix.indices, matrix.data
    return columns, values


@dataclass(frozen=True, slots=True, eq=False)
class Matrices:
    """B matrices diag(d) + m L + b L M⁻¹ L; d (n, B, 1) float64."""

    template: DeviceTemplate
    membrane: float
    bending: float
    diagonal: torch.Tensor

    def multiply(self, x: torch.Tensor) -> torch.Tensor:
        """Each matrix with its own columns of x (n, B, 3)."""
        once = self.template.laplacian(x)
        smooth = self.membrane * once
        smooth += self.bending * self.template.laplacian(once * self.template.inverse_area)
        return smooth.addcmul_(self.diagonal, x)

    def shared(self) -> torch.Tensor:
        """(nnz,) float64 CSR data of m L + b L M⁻¹ L."""
        return self.membrane * self.template.pattern + self.bending * self.template.bending


def _by_factor(matrices, template):
    """A⁻¹ by a float32 factor, or by a float64 one where that is too coarse; (B,) bool failed."""
    import torch

    shared, diagonal = matrices.shared(), matrices.diagonal[..., 0].T
    for kind in (torch.float32, torch.float64):
        factor = factorise(template.symbolic, shared.to(kind), diagonal.to(kind))
        if not factor.bad.any():
            break

    def precondition(residual):
        return factor.solve(residual.transpose(0, 1).to(kind)).to(torch.float64).transpose(0, 1)

    return precondition, factor.bad


def _by_diagonal(matrices):
    """Jacobi's preconditioner; (B,) bool, which matrices have no positive diagonal."""
    whole = matrices.shared()[matrices.template.diagonal][:, None, None] + matrices.diagonal
    return (1 / whole).mul, ~(whole > 0).all(0)[:, 0]


def conjugate_gradients(
    multiply: Callable,
    precondition: Callable,
    right: torch.Tensor,
    start: torch.Tensor,
    tolerance: float,
    max_iterations: int = 200,
) -> torch.Tensor:
    """registration.pcg on B matrices at once; a scan stops when its worst column has converged.

    Args:
        multiply, precondition: A x and about A⁻¹ x of (n, B, k) float64.
        right: (n, B, k) float64; start: of its shape.
        tolerance: residual norm over right-hand-side norm.
        max_iterations: where to stop regardless, as in registration.pcg.

    Returns:
        (n, B, k) float64.
    """
    x, step = start, right * 0
    residual = right - multiply(x)
    energy = (right * right).sum(0) + math.inf  # of no step yet: the first is all residual
    goal = (right * right).sum(0).mul(tolerance**2).clamp(min=1e-300)
    for _ in range(max_iterations):
        going = ((residual * residual).sum(0) > goal).any(1, keepdim=True)
        if not going.any():
            break
        fresh = precondition(residual)
        energy, before = (residual * fresh).sum(0), energy
        step = fresh + _quotient(energy, before) * step
        product = multiply(step)
        length = _quotient(energy, (step * product).sum(0)) * going
        x = x + length * step
        residual = residual - length * product
    return x


def _quotient(above, below):
    """above / below; 0 where below is not positive: that column is done."""
    return (above / below.clamp(min=1e-300)).where(below > 0, 0.0)
