"""The rasteriser against OpenGL, each in a process of its own: a process has one GL user."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from faces.camera import Camera
from faces.errors import MissingExtra
from imaging.raster import rasterise
from synth import gl

ROOT = Path(__file__).resolve().parent.parent
CAMERA = Camera(200, 180, 620.0, 600.0, 104.0, 83.0)  # nothing centred, nothing square
UNAVAILABLE = 77
SCRIPT = """
import json, sys
import numpy as np
from faces.camera import Camera
from faces.errors import MissingExtra
from synth.gl import render_gl
folder, multisample = sys.argv[1], sys.argv[2] == "True"
with np.load(folder + "/scene.npz") as scene:
    arrays = [scene[name] for name in ("vertices", "triangles", "colors")]
camera = Camera(**json.load(open(folder + "/camera.json")))
try:
    color, depth = render_gl(*arrays, camera, multisample)
except (MissingExtra, RuntimeError) as error:
    print(error)
    raise SystemExit(77)
np.savez(folder + "/image.npz", color=color, depth=depth)
"""


def scene():
    """A ball with a smaller one before it, so that depths are discontinuous inside, too."""
    far, near = trimesh.creation.icosphere(4, 70.0), trimesh.creation.icosphere(3, 25.0)
    offset = np.array([6.0, -4, 600]), np.array([30.0, 12, 480])
    vertices = np.concatenate([far.vertices + offset[0], near.vertices + offset[1]])
    triangles = np.concatenate([far.faces, near.faces + len(far.vertices)]).astype(np.int32)
    colors = np.concatenate([far.vertices / 140 + 0.5, near.vertices / 50 + 0.5])
    return vertices, triangles, colors


def render_elsewhere(folder, vertices, triangles, colors, multisample):
    np.savez(folder / "scene.npz", vertices=vertices, triangles=triangles, colors=colors)
    names = ("width", "height", "fx", "fy", "cx", "cy")
    (folder / "camera.json").write_text(json.dumps({n: getattr(CAMERA, n) for n in names}))
    command = [sys.executable, "-c", SCRIPT, str(folder), str(multisample)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    if done.returncode == UNAVAILABLE:
        pytest.skip(f"no OpenGL here: {done.stdout.strip()}")
    if done.returncode < 0:
        pytest.skip(f"the OpenGL driver ended its process with signal {-done.returncode}")
    assert done.returncode == 0, done.stderr
    with np.load(folder / "image.npz") as image:
        return image["color"], image["depth"]


def test_silhouette_depth_and_color_agree_with_opengl(tmp_path):
    vertices, triangles, colors = scene()
    color, depth = render_elsewhere(tmp_path, vertices, triangles, colors, False)
    size = (CAMERA.width, CAMERA.height)
    fragments = rasterise(CAMERA.screen(vertices), triangles, size)
    both, either = fragments.mask & (depth > 0), fragments.mask | (depth > 0)
    assert both.sum() / either.sum() >= 0.999
    difference = np.abs(depth - fragments.depth)[both]
    # where a pixel centre lies within 1/256 px of an edge, either triangle may own it
    assert (difference > 1).mean() < 1e-3
    assert np.median(difference) < 0.01
    own = fragments.interpolate(colors, triangles)
    # 8 bits hold half a step of 1/255
    assert np.percentile(np.abs(color / 255 - own)[both], 99.9) < 0.005


def test_without_pyrender_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyrender", None)
    with pytest.raises(MissingExtra, match=r"facesynth\[gl\]"):
        gl.render_gl(*scene(), CAMERA)
