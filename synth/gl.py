"""The optional OpenGL back end: a second opinion on the default one.

GlRenderer takes from OpenGL which triangle each sample shows (synth.gl_ids). render_gl is the image
of pyrender itself, as its users know it, for comparison.
"""

from functools import cache

import numpy as np

from faces.camera import FLIP, Camera, Pose
from imaging.projection import NEAR_MM
from synth.gl_context import context, no_opengl, pyrender_on, unsampled
from synth.gl_ids import triangle_ids
from synth.id_renderer import IdRenderer
from synth.renderer import FaceMesh


class GlRenderer(IdRenderer):
    """synth.renderer.Renderer with OpenGL's projection, clipping, coverage and depth test.

    Args:
        supersample: colour samples along each pixel axis.
        platform: of synth.gl_context.PLATFORMS; None is the one that the process has, or EGL.

    Raises:
        MissingExtra: pyrender is not installed.
        RuntimeError: there is no OpenGL that draws without a display, or the process uses another
            platform already.
    """

    name = "gl"

    def __init__(self, supersample: int = 2, platform: str | None = None):
        super().__init__(supersample)
        context(platform)
        self.platform = platform

    def find_ids(self, face: FaceMesh, pose: Pose, camera: Camera, seen, factor: int) -> np.ndarray:
        """As of IdRenderer; triangles that OpenGL cuts are named as a whole."""
        vertices = pose.apply(face.vertices_mm.astype(np.float64))
        lens = camera.crop(0, 0, camera.width * factor, camera.height * factor, zoom=factor)
        return triangle_ids(vertices, face.topology.triangles, lens, NEAR_MM, self.platform)


def render_gl(
    vertices_mm: np.ndarray,
    triangles: np.ndarray,
    colors: np.ndarray,
    camera: Camera,
    multisample: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Unlit colours and depth of a mesh by OpenGL.

    Args:
        vertices_mm: (V, 3) mm in the camera frame.
        triangles: (T, 3) int, drawn from both sides.
        colors: (V, 3) in [0, 1].
        camera: a pinhole without distortion.
        multisample: pyrender's own 4× multisampling, which averages depths; for comparison.

    Returns:
        (H, W, 3) uint8 colour on black and (H, W) float32 depth in mm, 0 on the background.

    Raises:
        MissingExtra: pyrender is not installed.
        RuntimeError: there is no OpenGL that draws without a display.
    """
    pyrender = pyrender_on()
    scene = pyrender.Scene(bg_color=[0, 0, 0, 0], ambient_light=[1.0, 1.0, 1.0])
    metres = np.asarray(vertices_mm, dtype=np.float64) @ FLIP / 1000  # GL looks along −z, y up
    primitive = pyrender.Primitive(
        positions=metres,
        indices=triangles,
        color_0=np.concatenate([colors, np.ones((len(colors), 1))], 1),
        mode=pyrender.constants.GLTF.TRIANGLES,
        material=pyrender.MetallicRoughnessMaterial(doubleSided=True),
    )
    scene.add(pyrender.Mesh([primitive]))
    near, far = float(-metres[:, 2].max()) * 0.9, float(-metres[:, 2].min()) * 1.1
    lens = {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy}
    scene.add(pyrender.IntrinsicsCamera(**lens, znear=max(near, 1e-3), zfar=far))
    renderer = _renderer(camera.width, camera.height, multisample)
    with unsampled(not multisample):
        color, depth = renderer.render(scene, flags=pyrender.RenderFlags.FLAT)
    return color[..., :3].copy(), depth * np.float32(1000)


@cache
def _renderer(width: int, height: int, multisample: bool):
    """A GL context is dear (a tenth of a second or more): one a kind and process.

    ``multisample`` is part of the kind, since the first render makes the buffers and keeps them.
    """
    pyrender = pyrender_on()
    try:
        return pyrender.OffscreenRenderer(width, height)
    except Exception as error:  # each window system raises an exception of its own
        raise no_opengl(error) from error
