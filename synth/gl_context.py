"""OpenGL without a display, through pyrender: the one place where its faults are mended.

pyrender 0.1.45 is the last release. Mended here:

* it needs ``np.infty``, which numpy 2 no longer has;
* it pins PyOpenGL 3.1.0, which has no OSMesaCreateContextAttribs and fails on OSMesa and with
  current Pythons: install a later one over the pin (``make setup`` does);
* it chooses its window system from PYOPENGL_PLATFORM when it is imported, and PyOpenGL loads one
  set of libraries a process: the first platform that a process uses is its only one;
* it says that OSMesa has no framebuffers to draw into, and lets only images of the context's size
  be read; Mesa has had them for long: on our contexts every size is drawn (synth.gl);
* it draws into a 4× multisampled buffer whose average mixes the depths of different surfaces
  (``unsampled``).

One process can have one OpenGL user: other GL libraries (Open3D, too) must not come before it.
"""

import contextlib
import os
import sys
from functools import cache

import numpy as np

from faces.errors import BadInput, MissingExtra

PLATFORMS = ("egl", "osmesa")  # neither needs a display


def pyrender_on(platform: str | None = None):
    """The module pyrender, on a platform of PLATFORMS; None is the one that the process has, or
    PYOPENGL_PLATFORM's, or EGL.

    Raises:
        BadInput: an unknown platform.
        MissingExtra: pyrender is not installed.
        RuntimeError: the process uses another platform already.
    """
    taken = os.environ.get("PYOPENGL_PLATFORM")
    wanted = platform or taken or PLATFORMS[0]
    if wanted not in PLATFORMS:
        raise BadInput(
            "OpenGL's platform", f"'{wanted}'", f"one of {', '.join(PLATFORMS)}", "choose one"
        )
    if "OpenGL.platform" in sys.modules and taken not in (None, wanted):
        raise RuntimeError(
            f"OpenGL on '{wanted}': this process is on '{taken}'; expected one platform a process; "
            "use another process for the other"
        )
    if not hasattr(np, "infty"):
        np.infty = np.inf  # noqa: NPY201
    os.environ["PYOPENGL_PLATFORM"] = wanted
    try:
        import pyrender
    except ImportError as error:
        raise MissingExtra("rendering with OpenGL", "gl") from error
    return pyrender


def context(platform: str | None = None):
    """A context of our own, one a process: its ``make_current()`` comes before any drawing.

    Raises:
        RuntimeError: there is no OpenGL that draws without a display; and as pyrender_on.
    """
    pyrender_on(platform)
    return _context(os.environ["PYOPENGL_PLATFORM"])


@cache
def _context(platform):
    try:
        made = _platform(platform)
        made.init_context()
        made.make_current()
    except Exception as error:  # each window system raises an exception of its own
        raise no_opengl(error) from error
    return made


def _platform(name):
    """pyrender's window system; its size is of the context's own surface, which nothing uses."""
    if name == "osmesa":
        from pyrender.platforms.osmesa import OSMesaPlatform

        return OSMesaPlatform(1, 1)
    from pyrender.platforms import egl

    device = egl.get_device_by_index(int(os.environ.get("EGL_DEVICE_ID", "0")))
    return egl.EGLPlatform(1, 1, device=device)


def no_opengl(error: Exception) -> RuntimeError:
    """What went wrong while a context was made, and what to do about it."""
    platform = os.environ["PYOPENGL_PLATFORM"]
    return RuntimeError(
        f"OpenGL on '{platform}': {type(error).__name__}: {error}; expected a driver that draws "
        f"without a display; set PYOPENGL_PLATFORM to one of {', '.join(PLATFORMS)}, or install "
        "libegl1 or libosmesa6"
    )


@contextlib.contextmanager
def unsampled(wanted: bool = True):
    """pyrender asks GL for four samples a pixel; without them one depth is one surface's."""
    from pyrender import renderer

    original = renderer.glRenderbufferStorageMultisample
    if wanted:
        renderer.glRenderbufferStorageMultisample = lambda target, _samples, *rest: original(
            target, 0, *rest
        )
    try:
        yield
    finally:
        renderer.glRenderbufferStorageMultisample = original
