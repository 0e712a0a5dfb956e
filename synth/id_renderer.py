"""A back end that only says which triangle each sample shows; the rest is the default's."""

import numpy as np

from faces.camera import Camera, Pose
from imaging.grid_keys import write_keys
from imaging.raster_kernels import SUBPIXEL_BITS
from synth.render import RasterRenderer
from synth.renderer import FaceMesh


class IdRenderer(RasterRenderer):
    """RasterRenderer whose visibility comes from find_ids(), once a grid of samples."""

    def find_centres(self, zeros, face, pose, camera, seen, box, keys, rim, tiles) -> np.ndarray:
        """As of RasterRenderer; no triangle is tried here."""
        self._write(face, pose, camera, seen, 1, keys)
        return np.zeros(0, np.int32)

    def find_samples(self, face, pose, camera, seen, box, keys, rim, words, tiles, kept) -> None:
        """As of RasterRenderer, of every pixel."""
        self._write(face, pose, camera, seen, self.supersample, keys)

    def _write(self, face, pose, camera, seen, factor, keys) -> None:
        geometry = seen.snapped, seen.near, seen.triangles
        cuts = len(face.topology.triangles), seen.cuts.source
        ids = self.find_ids(face, pose, camera, seen, factor)
        write_keys(ids, SUBPIXEL_BITS + 1 - factor.bit_length(), geometry, cuts, keys)

    def find_ids(self, face: FaceMesh, pose: Pose, camera: Camera, seen, factor: int) -> np.ndarray:
        """(H·factor, W·factor) int, what each of ``factor``² samples a pixel shows; -1 for nothing.

        A triangle that reaches behind the near plane is named as a whole, or as that of its parts
        (``seen.cuts``) which is seen.
        """
        raise NotImplementedError
