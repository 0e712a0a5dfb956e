"""The multifrontal Cholesky of faces.solver for many matrices at once, on a torch device.

Matrices of one sparsity share every front's place and size: each level of fronts is one batch of
small dense matrices, which is what a GPU factors well. The factor is float32: a direct solution
from it would be off by its rounding times the condition number, but it serves as the
preconditioner of conjugate gradients in float64 (registration.batched_solver), whose few
iterations are an iterative refinement (Golub and Van Loan, Matrix Computations, section 11.5).

Every sum is made in an order of its own: two children of one front are added one after the other,
so that a run on one device gives the same bits as the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from faces.solver import Symbolic
from registration.batched_levels import levels_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class DeviceLevel:
    """A registration.batched_levels.Level as tensors; children as (parent, child, place)."""

    own: torch.Tensor
    border: torch.Tensor
    take: torch.Tensor
    put: torch.Tensor
    children: tuple[tuple[torch.Tensor, torch.Tensor, torch.Tensor], ...]


@dataclass(frozen=True, slots=True, eq=False)
class BatchedFactor:
    """P A_k Pᵀ = L_k L_kᵀ of B matrices, by levels of g fronts.

    Attributes:
        order: (n,) int64.
        levels: the deepest first.
        blocks: for each level L's diagonal blocks (B, g, p, p) and the blocks (B, g, b, p) below.
        bad: (B,) bool, matrices that are not positive definite in this precision; their factor
            means nothing.
    """

    order: torch.Tensor
    levels: tuple[DeviceLevel, ...]
    blocks: list[tuple[torch.Tensor, torch.Tensor]]
    bad: torch.Tensor

    def solve(self, right: torch.Tensor) -> torch.Tensor:
        """x (B, n, k) with A_k x_k = right_k, right (B, n, k) in the factor's precision."""
        from torch.linalg import solve_triangular

        count, n, columns = right.shape
        x = right.new_zeros(count, n + 1, columns)  # the last stays 0
        x[:, :-1] = right[:, self.order]
        left = None
        steps = list(zip(self.levels, self.blocks, strict=True))
        for level, (diagonal, below) in steps:
            own, border = _gathered(level, x, left)
            own = solve_triangular(diagonal, own, upper=False)
            left = border - below @ own
            x[:, level.own] = own
        for level, (diagonal, below) in reversed(steps):
            rest = x[:, level.own] - below.mT @ x[:, level.border]
            x[:, level.own] = solve_triangular(diagonal.mT, rest, upper=True)
        solution = right.new_zeros(right.shape)
        solution[:, self.order] = x[:, :-1]
        return solution


def _gathered(level, x, left):
    """A level's right-hand sides (B, g, p, k), (B, g, b, k): its own and what its children left."""
    (g, p), b = level.own.shape, level.border.shape[1]
    fronts = x.new_zeros(len(x), g, p + b + 1, x.shape[2])
    fronts[:, :, :p] = x[:, level.own]
    for parent, child, place in level.children:
        fronts[:, parent[:, None], place] += left[:, child]
    return fronts[:, :, :p], fronts[:, :, p:-1]


def factorise(symbolic: Symbolic, shared: torch.Tensor, diagonal: torch.Tensor) -> BatchedFactor:
    """Factor of B symmetric positive definite matrices that differ in their diagonal alone.

    Args:
        symbolic: structure of the factor.
        shared: (nnz,) CSR data of the part that all have, in the precision to factor in.
        diagonal: (B, n), added to its diagonal; of the same precision.
    """
    from torch.linalg import cholesky_ex, solve_triangular

    order, levels = _on_device(symbolic, diagonal.device)
    bad = ~diagonal.isfinite().all(1)
    ordered = diagonal.new_ones(len(diagonal), len(order) + 1)  # 1 for what pads
    ordered[:, :-1] = diagonal[:, order]
    blocks, rest = [], None
    for level in levels:
        p = level.own.shape[1]
        dense = _assemble(level, shared, ordered, rest)
        own, info = cholesky_ex(dense[..., :p, :p])
        bad |= (info > 0).any(1)
        below = solve_triangular(own.mT, dense[..., p:-1, :p], upper=True, left=False)
        rest = dense[..., p:-1, p:-1] - below @ below.mT
        blocks.append((own, below))
    return BatchedFactor(order, levels, blocks, bad)


def _assemble(level, shared, diagonal, rest):
    """Fronts (B, g, p + b + 1, p + b + 1), right in their lower triangle and in all of b × b."""
    (g, p), b = level.own.shape, level.border.shape[1]
    size = p + b + 1
    dense = diagonal.new_zeros(len(diagonal), g * size * size)
    dense[:, level.put] = shared[level.take]
    dense = dense.view(-1, g, size, size)
    dense.diagonal(dim1=2, dim2=3)[..., :p] += diagonal[:, level.own]
    for parent, child, place in level.children:
        dense[:, parent[:, None, None], place[:, :, None], place[:, None]] += rest[:, child]
    return dense


@lru_cache(maxsize=16)
def _on_device(symbolic, device):
    """The order and the levels as tensors, sent once a template and device."""
    import torch

    def send(array: np.ndarray):
        return torch.as_tensor(array, device=device)

    def sent(level):
        arrays = map(send, (level.own, level.border, level.take, level.put))
        children = ((send(c.parent), send(c.child), send(c.place)) for c in level.children)
        return DeviceLevel(*arrays, tuple(children))

    return send(symbolic.order), tuple(map(sent, levels_of(symbolic)))
