"""The torch back end: visibility on a device's tensors, labels and colours as every back end has.

It renders a set's images where a GPU is at hand. A trainer that wants images, and their gradients,
inside of its own step takes synth.step, which never leaves the device.
"""

import numpy as np

from faces.camera import Camera, Pose
from faces.errors import BadInput, MissingExtra
from imaging.raster_kernels import DROPPED, SUBPIXEL_BITS
from synth.id_renderer import IdRenderer
from synth.renderer import FaceMesh


class TorchRenderer(IdRenderer):
    """synth.renderer.Renderer with imaging.raster_torch on a device ("cpu", "cuda", "cuda:1").

    Raises:
        MissingExtra: torch is not installed.
        BadInput: a CUDA device is asked for and there is none.
    """

    name = "cuda"

    def __init__(self, device: str = "cpu", supersample: int = 2):
        super().__init__(supersample)
        try:
            import torch
        except ImportError as error:
            raise MissingExtra("rendering with torch", "train") from error
        self.device = torch.device(device)
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise BadInput(
                "renderer 'cuda'",
                f"no CUDA device for torch {torch.__version__}",
                "a GPU and a torch built for it",
                "choose the renderer 'raster'",
            )

    def find_ids(self, face: FaceMesh, pose: Pose, camera: Camera, seen, factor: int) -> np.ndarray:
        """As of IdRenderer; cut triangles are named by their parts."""
        import torch

        from imaging.raster_torch import nearest_ids

        # in float32 an orthographic 1 - z/FAR_MM would keep a tenth of a millimetre, -z/FAR_MM
        # keeps a ten-millionth of itself
        near = seen.near if camera.is_perspective else seen.near - 1
        near = np.where(seen.snapped[:, 0] == DROPPED, np.nan, near)
        whole = (seen.snapped.astype(np.int64)[None], near[None], seen.triangles.astype(np.int64))
        snapped, near, triangles = (torch.as_tensor(a, device=self.device) for a in whole)
        size = camera.width * factor, camera.height * factor
        bits = SUBPIXEL_BITS + 1 - factor.bit_length()
        ids = nearest_ids(snapped, near, triangles, size, bits=bits)
        return ids[0].int().cpu().numpy()
