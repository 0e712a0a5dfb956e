"""The multifrontal Cholesky of registration.solver for many matrices at once, on a torch device.

Matrices of one sparsity share every front's place and size, so that each front is one batch of
small dense matrices, which is what a GPU factors well. The factor is float32: a direct solution
from it would be off by its rounding times the condition number, but it serves as the
preconditioner of conjugate gradients in float64 (registration.batched_solver), whose few
iterations are an iterative refinement that cannot diverge (Golub and Van Loan, Matrix
Computations, section 11.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from registration.solver import Front, Symbolic

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class DeviceFront:
    """A Front's indices on a device; see registration.solver.Front.

    Attributes:
        own: the p unknowns, a slice of the elimination order.
        border: (b,) int64.
        take: (m,) int64 entries of the CSR data.
        put: (m,) int64 where they go in the flat front, rows outermost.
        children: fronts whose remainder is added, and (b_child,) int64 where.
    """

    own: slice
    border: torch.Tensor
    take: torch.Tensor
    put: torch.Tensor
    children: tuple[tuple[int, torch.Tensor], ...]

    @property
    def size(self) -> int:
        """p."""
        return self.own.stop - self.own.start


@dataclass(frozen=True, slots=True, eq=False)
class BatchedFactor:
    """P A_k Pᵀ = L_k L_kᵀ of B matrices, by fronts.

    Attributes:
        order: (n,) int64.
        fronts: as of Symbolic.
        blocks: for each front L's diagonal block (B, p, p) and the block (B, b, p) below it.
        bad: (B,) bool, matrices that are not positive definite in this precision; their factor
            means nothing.
    """

    order: torch.Tensor
    fronts: tuple[DeviceFront, ...]
    blocks: list[tuple[torch.Tensor, torch.Tensor]]
    bad: torch.Tensor

    def solve(self, right: torch.Tensor) -> torch.Tensor:
        """x (B, n, k) with A_k x_k = right_k, right (B, n, k) in the factor's precision."""
        from torch.linalg import solve_triangular

        x = right[:, self.order]
        steps = list(zip(self.fronts, self.blocks, strict=True))
        for front, (diagonal, below) in steps:
            own = solve_triangular(diagonal, x[:, front.own], upper=False)
            x[:, front.own] = own
            x[:, front.border] -= below @ own
        for front, (diagonal, below) in reversed(steps):
            rest = x[:, front.own] - below.mT @ x[:, front.border]
            x[:, front.own] = solve_triangular(diagonal.mT, rest, upper=True)
        solution = x.new_zeros(x.shape)
        solution[:, self.order] = x
        return solution


def factorise(symbolic: Symbolic, shared: torch.Tensor, diagonal: torch.Tensor) -> BatchedFactor:
    """Factor of B symmetric positive definite matrices that differ in their diagonal alone.

    Args:
        symbolic: structure of the factor.
        shared: (nnz,) CSR data of the part that all have, in the precision to factor in.
        diagonal: (B, n), added to its diagonal; of the same precision.
    """
    from torch.linalg import cholesky_ex, solve_triangular

    order, fronts = _on_device(symbolic, diagonal.device)
    diagonal = diagonal[:, order]
    bad = ~diagonal.isfinite().all(1)
    blocks, rests = [], {}
    for number, front in enumerate(fronts):
        dense, p = _assemble(front, shared, diagonal, rests), front.size
        own, info = cholesky_ex(dense[:, :p, :p])
        bad |= info > 0
        below = solve_triangular(own.mT, dense[:, p:, :p], upper=True, left=False)
        if len(front.border):
            rests[number] = dense[:, p:, p:] - below @ below.mT
        blocks.append((own, below))
    return BatchedFactor(order, fronts, blocks, bad)


def _assemble(front, shared, diagonal, rests):
    """Fronts (B, p + b, p + b), right in their lower triangle (and in all of the last b)."""
    count, size = len(diagonal), front.size + len(front.border)
    dense = diagonal.new_zeros(count, size * size)
    dense[:, front.put] = shared[front.take]
    dense = dense.view(count, size, size)
    dense.diagonal(dim1=1, dim2=2)[:, : front.size] += diagonal[:, front.own]
    for child, place in front.children:
        dense[:, place[:, None], place] += rests.pop(child)
    return dense


@lru_cache(maxsize=16)
def _on_device(symbolic, device):
    """The order and the fronts' indices as tensors, sent once a template and device."""
    from torch import as_tensor

    def send(front: Front):
        size = front.size + len(front.border)
        own = slice(front.begin, front.begin + front.size)
        put = front.put % size * size + front.put // size
        arrays = (as_tensor(array, device=device) for array in (front.border, front.take, put))
        places = (as_tensor(place, device=device) for place in front.places)
        return DeviceFront(own, *arrays, tuple(zip(front.children, places, strict=True)))

    return as_tensor(symbolic.order, device=device), tuple(map(send, symbolic.fronts))
