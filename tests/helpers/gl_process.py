"""OpenGL in a process of its own: a process has one platform and one user of it, and a driver that
crashes takes its process along."""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import numpy as np
import pytest

from faces.camera import Camera
from faces.errors import MissingExtra


class GlProcess:
    """Runs functions in a process whose OpenGL is on ``platform``, one after another.

    Skips the test, with the reason, where that process cannot draw at all.
    """

    def __init__(self, platform: str):
        from synth.gl_ids import triangle_ids

        self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        corners = np.array([[-9.0, -9, 9], [9, -9, 9], [0, 9, 9]])
        camera = Camera(4, 4, 4.0, 4.0, 2.0, 2.0)
        try:
            self(triangle_ids, corners, np.array([[0, 1, 2]]), camera, 1.0, platform)
        except (MissingExtra, RuntimeError, BrokenProcessPool) as error:
            self.close()
            pytest.skip(f"no OpenGL on '{platform}' here: {error}")

    def __call__(self, function, *args):
        """What an importable function returns, or raises, over there."""
        return self.pool.submit(function, *args).result(timeout=120)

    def close(self):
        self.pool.shutdown()


def render_by_gl(platform: str, supersample: int, *args):
    """GlRenderer's render(), for a GlProcess."""
    from synth.gl import GlRenderer

    return GlRenderer(supersample, platform).render(*args)
