"""The back ends under one suite, and what they are asked to render."""

import numpy as np
import pytest
from gl_process import GlProcess, render_by_gl

from faces.camera import Camera, Pose
from faces.rotation import matrix_from_euler
from synth.render import renderer
from synth.renderer import Lighting

BACK_ENDS = ("raster", "cuda", "gl-egl", "gl-osmesa")
PINHOLE = Camera(160, 144, 640.0, 620.0, 83.0, 70.0)  # nothing centred, nothing square
PARALLEL = Camera(160, 144, 1.0, 1.0, 83.0, 70.0, mm_per_px=1.1)
CAMERAS = [pytest.param(PINHOLE, id="pinhole"), pytest.param(PARALLEL, id="parallel")]
RADIUS = 60.0
TURNED = Pose(matrix_from_euler(25, -15, 10), np.array([4.0, -6, 640]))
FRONT = Pose(np.eye(3), np.array([0.0, 0, 600]))
NO_LAMP = np.array([0.0, 0, -1]), np.zeros(3)


def flat(level=1.0):
    """Light from everywhere: the picture shows the albedo times ``level``."""
    environment = np.zeros((9, 3))
    environment[0] = level
    return Lighting(environment, *NO_LAMP)


def lamp(direction, color, ambient=0.3, specular=0.0, shininess=10.0, shadows=False):
    way = np.asarray(direction, dtype=np.float64)
    light = flat(ambient)
    return Lighting(
        light.environment,
        way / np.linalg.norm(way),
        np.asarray(color, dtype=np.float64),
        specular,
        shininess,
        shadows=shadows,
    )


class Elsewhere:
    """A GlRenderer in another process."""

    def __init__(self, platform):
        self.process, self.platform = GlProcess(platform), platform

    def render(self, *args, supersample=2):
        return self.process(render_by_gl, self.platform, supersample, *args)


class Here:
    def __init__(self, name):
        if name == "cuda":
            pytest.importorskip("torch", reason="the extra 'train' is not installed")
        self.name = name

    def render(self, *args, supersample=2):
        if self.name == "cuda":
            from synth.cuda import TorchRenderer

            return TorchRenderer("cpu", supersample).render(*args)
        return renderer(self.name, supersample).render(*args)


def opened(name):
    """Yields a back end of BACK_ENDS, for a fixture; skips where it cannot run."""
    kind, _, platform = name.partition("-")
    if not platform:
        yield Here(kind)
        return
    elsewhere = Elsewhere(platform)
    yield elsewhere
    elsewhere.process.close()
