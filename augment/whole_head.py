"""The whole head that is likely, given the part of it that was seen."""

from functools import lru_cache

import numpy as np

from faces.morphable import MorphableModel
from faces.types import RegisteredFace

MODES = 60  # of identity: the rest moves a scalp by less than 0.1 mm
# Standard deviations, relative, of a head's size and of each of its axes; length and breadth of
# adults' heads spread by 4 to 5 % (Gordon et al. 2014, ANSUR II).
SIZE, PROPORTION = 0.04, 0.03
SHIFT_MM, TURN_RAD = 10.0, 0.05  # of the pose, which the face settles
FACE_MM, SCALP_MM = 2.0, 3.0  # how far a face and a scalp are from any of the model's
FACE_PATCHES, SCALP_PATCHES = 40, 100  # of each, differing from the model's on their own
SAMPLES = 500  # vertices of either that count
HAIR_MM = 8.0  # what stands so far off a likely head is as much hair as head
ROUNDS = 3  # of reweighting


class WholeHead:
    """Heads as the model and people's sizes distribute them, conditioned on one face.

    A head is Gaussian: mean, identity modes, size, proportions and pose, each with its standard
    deviation. Of such a prior the posterior mean is a ridge regression (Bishop 2006, §2.3.3),
    and continues into what nobody saw as people's heads do. Deviations of neighbouring vertices
    from the model are alike, so that vertices count as a number of independent patches only.
    """

    def __init__(self, model: MorphableModel, face: RegisteredFace, known: np.ndarray):
        """Args:
        model: of the face's topology.
        face: registered; its expression is taken as it is.
        known: (V,) bool, vertices where it is the person.
        """
        self.pose = face.pose
        self._modes = _head_modes(model)
        weights = np.asarray(face.initial.expression)
        self._mean = model.shape(np.zeros(0), weights)
        index = _thinned(np.flatnonzero(known))
        rows = self._modes[index].reshape(-1, self._modes.shape[2]).astype(np.float64)
        apart = (face.pose.invert(face.vertices_mm[index]) - self._mean[index]).ravel()
        weight = _weight(len(index), FACE_PATCHES, FACE_MM)
        self._square = np.eye(rows.shape[1]) + weight * rows.T @ rows
        self._right = weight * rows.T @ apart

    def likely(self, seen: np.ndarray, points_mm: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """The posterior mean, given how far surfaces lie along normals too.

        Args:
            seen: (n,) int, vertices for which a surface is known.
            points_mm: (V, 3) camera frame, points on it; only those of ``seen`` count.
            normals: (V, 3) unit, camera frame.

        Returns:
            (V, 3) float64 mm, camera frame.
        """
        index = _thinned(seen)
        origin = self.pose.invert(np.zeros(3))
        along = self.pose.invert(self.pose.scale * normals[index]) - origin
        rows = np.einsum("nx,nxk->nk", along, self._modes[index]).astype(np.float64)
        apart = (along * (self.pose.invert(points_mm[index]) - self._mean[index])).sum(1)
        coefficients = self._solved(rows, apart)
        return self.pose.apply(self._mean + self._modes @ coefficients.astype(np.float32))

    def _solved(self, rows, apart):
        """(K,) coefficients; Geman and McClure's weights, for hair must not bend a skull."""
        out = np.linalg.solve(self._square, self._right)
        weight = _weight(len(rows), SCALP_PATCHES, SCALP_MM)
        for _ in range(ROUNDS if len(rows) else 0):
            w = weight / (1 + ((rows @ out - apart) / HAIR_MM) ** 2) ** 2
            square = self._square + (rows * w[:, None]).T @ rows
            out = np.linalg.solve(square, self._right + rows.T @ (w * apart))
        return out


@lru_cache(maxsize=4)
def _head_modes(model):
    """(V, 3, K) float32 mm, model frame: offsets of one standard deviation each."""
    mean, axes = model.mean_mm.astype(np.float64), np.eye(3)
    modes = [SIZE * mean, *(PROPORTION * mean * axis for axis in axes)]
    modes += [np.broadcast_to(SHIFT_MM * axis, mean.shape) for axis in axes]
    modes += [TURN_RAD * np.cross(axis, mean) for axis in axes]
    modes = np.concatenate([model.identity_mm[:MODES], np.float32(modes)])
    return np.ascontiguousarray(np.moveaxis(modes, 0, -1))


def _thinned(index):
    return index[:: max(1, len(index) // SAMPLES)]


def _weight(count, patches, spread_mm):
    """Of each of so many vertices that vary as so many patches do."""
    return min(1, patches / max(count, 1)) / spread_mm**2
