"""Which triangle OpenGL shows at each pixel: whole numbers, with nothing averaged or blended."""

import ctypes
from functools import cache

import numpy as np

from faces.camera import Camera
from synth.gl_context import context

# A triangle's number is drawn as such into a 32-bit integer image: no colour code, no dither, no
# sampling and no conversion can change it, and the background is -1.
_VERTEX = "#version 330\nlayout(location = 0) in vec4 place; void main() { gl_Position = place; }"
_FRAGMENT = "#version 330\nlayout(location = 0) out int id; void main() { id = gl_PrimitiveID; }"


def triangle_ids(
    vertices_mm: np.ndarray,
    triangles: np.ndarray,
    camera: Camera,
    near_mm: float,
    platform: str | None = None,
) -> np.ndarray:
    """(H, W) int32, the nearest triangle at each pixel's centre; -1 where there is none.

    Args:
        vertices_mm: (V, 3) mm in the camera frame, also behind the camera.
        triangles: (T, 3) int, drawn from both sides.
        camera: without distortion.
        near_mm: what is nearer than this is cut off.
        platform: of synth.gl_context.PLATFORMS.

    Raises:
        MissingExtra, RuntimeError: as synth.gl_context.context.
    """
    window = context(platform)
    window.make_current()
    farthest = float(vertices_mm[:, 2].max(initial=0))
    if farthest <= near_mm or len(triangles) == 0:
        return np.full((camera.height, camera.width), -1, dtype=np.int32)
    nearest = max(0.99 * float(vertices_mm[:, 2].min()), near_mm)
    places = _clip_space(vertices_mm, camera, nearest, 1.01 * farthest)
    return _pass(window).draw(places, triangles, camera.width, camera.height)


def _clip_space(vertices_mm, camera, near, far):
    """(V, 4) float32 homogeneous positions; worked out in float64, since 1/256 px counts.

    Rows of the image run up GL's y, so that the first row that is read back is the first.
    """
    x, y, z = np.asarray(vertices_mm, dtype=np.float64).T
    if camera.is_perspective:
        u, v, w = camera.fx * x + camera.cx * z, camera.fy * y + camera.cy * z, z
        depth = ((far + near) * z - 2 * far * near) / (far - near)
    else:
        u, v, w = (
            x / camera.mm_per_px + camera.cx,
            y / camera.mm_per_px + camera.cy,
            np.ones_like(z),
        )
        depth = (2 * z - far - near) / (far - near)
    places = np.stack([2 / camera.width * u - w, 2 / camera.height * v - w, depth, w], 1)
    return np.ascontiguousarray(places, dtype=np.float32)


@cache
def _pass(window):
    return _Pass()


class _Pass:
    """The program, the buffers and the image of one context, made once."""

    def __init__(self):
        from OpenGL import GL

        self.gl = GL
        self.program = self._linked(_VERTEX, _FRAGMENT)
        self.layout = GL.glGenVertexArrays(1)
        self.places, self.corners = GL.glGenBuffers(2)
        self.frame = GL.glGenFramebuffers(1)
        self.images = GL.glGenRenderbuffers(2)
        self.size = None
        GL.glBindVertexArray(self.layout)
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, self.places)
        GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, self.corners)
        GL.glEnableVertexAttribArray(0)
        GL.glVertexAttribPointer(0, 4, GL.GL_FLOAT, False, 0, ctypes.c_void_p(0))
        GL.glEnable(GL.GL_DEPTH_TEST)
        GL.glDepthFunc(GL.GL_LESS)  # of equally near triangles the first stays
        GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)

    def draw(self, places, triangles, width, height) -> np.ndarray:
        """Ids (height, width) int32 of triangles between homogeneous places (V, 4) float32."""
        gl = self.gl
        gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, self.frame)
        self._resize(width, height)
        gl.glUseProgram(self.program)
        gl.glBindVertexArray(self.layout)
        corners = np.ascontiguousarray(triangles, dtype=np.uint32)
        gl.glBindBuffer(gl.GL_ARRAY_BUFFER, self.places)
        gl.glBufferData(gl.GL_ARRAY_BUFFER, places.nbytes, places, gl.GL_STREAM_DRAW)
        gl.glBufferData(gl.GL_ELEMENT_ARRAY_BUFFER, corners.nbytes, corners, gl.GL_STREAM_DRAW)
        gl.glClearBufferiv(gl.GL_COLOR, 0, np.array([-1, 0, 0, 0], dtype=np.int32))
        gl.glClearBufferfv(gl.GL_DEPTH, 0, np.ones(1, dtype=np.float32))
        gl.glDrawElements(gl.GL_TRIANGLES, corners.size, gl.GL_UNSIGNED_INT, None)
        ids = np.full((height, width), -1, dtype=np.int32)
        gl.glReadPixels(0, 0, width, height, gl.GL_RED_INTEGER, gl.GL_INT, ids)
        return ids

    def _resize(self, width, height):
        """Images of this size: ids, and depths of 32 bits."""
        if self.size == (width, height):
            return
        gl, self.size = self.gl, (width, height)
        gl.glViewport(0, 0, width, height)
        kinds = (
            (gl.GL_R32I, gl.GL_COLOR_ATTACHMENT0),
            (gl.GL_DEPTH_COMPONENT32F, gl.GL_DEPTH_ATTACHMENT),
        )
        for image, (kind, slot) in zip(self.images, kinds, strict=True):
            gl.glBindRenderbuffer(gl.GL_RENDERBUFFER, image)
            gl.glRenderbufferStorage(gl.GL_RENDERBUFFER, kind, width, height)
            gl.glFramebufferRenderbuffer(gl.GL_FRAMEBUFFER, slot, gl.GL_RENDERBUFFER, image)
        status = gl.glCheckFramebufferStatus(gl.GL_FRAMEBUFFER)
        if status != gl.GL_FRAMEBUFFER_COMPLETE:
            raise RuntimeError(
                f"OpenGL: no image of 32-bit integers at {width}×{height} (status {status}); "
                "expected OpenGL 3.3; use another driver"
            )

    def _linked(self, vertex, fragment):
        """A program of two shaders; PyOpenGL raises where they do not compile."""
        from OpenGL.GL import shaders

        gl = self.gl
        gl.glBindVertexArray(gl.glGenVertexArrays(1))  # validating a program needs one
        return shaders.compileProgram(
            shaders.compileShader(vertex, gl.GL_VERTEX_SHADER),
            shaders.compileShader(fragment, gl.GL_FRAGMENT_SHADER),
        )
