"""Unseen hair takes the strands of the seen, on a head with striped hair."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from augment.image_mesh import SceneMesh
from augment.source import DRAWN_PARTS
from augment.strands import combed, with_strands
from faces.camera import Camera, Pose
from faces.hair import Hair
from faces.models import load_model
from faces.rotation import matrix_from_euler
from faces.texture import sample
from faces.visibility import visible_vertices
from imaging.raster import rasterise

CAMERA = Camera.from_fov(320, 320, 30.0)
SKIN, HAIR = np.float32([0.75, 0.55, 0.45]), np.float32([0.2, 0.14, 0.1])
TONE = np.float32([0.15, 0.1, 0.08])  # the donor's, darker than the seen hair
WAVES, DEPTH = 30, 0.4  # strands of 20 mm around the head: three of the mesh's edges


@pytest.fixture(scope="module")
def striped():
    """A frontal head with hair in stripes from the crown down: its image, the scene with strands,
    and the hair that is nowhere near the seen."""
    model = load_model("default")
    triangles = model.part_triangles(*DRAWN_PARTS)
    pose = Pose(matrix_from_euler(0.0, 0.0, 0.0), np.array([0.0, 0.0, 700.0]))
    vertices = pose.apply(model.mean_mm.astype(float))
    scalp = model.regions["scalp"]
    stripes = 1 + DEPTH * np.sin(WAVES * combed(model)[:, 0])
    own = np.where(scalp[:, None], HAIR * stripes[:, None], SKIN).astype(np.float32)
    drawn = rasterise(CAMERA.screen(vertices), triangles, (320, 320))
    image = np.nan_to_num(drawn.interpolate(own, triangles)).astype(np.float32)
    seen = scalp & visible_vertices(vertices, triangles, CAMERA, cos_min=0.2)
    colors = np.where(scalp[:, None], TONE, SKIN).astype(np.float32)
    pixels = CAMERA.project(vertices).astype(np.float32)
    mm_per_px = 700 / CAMERA.fx
    scene = with_strands(
        bare_scene(vertices, triangles, colors),
        Hair(colors, scalp.astype(np.float32), seen),
        pixels,
        image,
        drawn.mask.astype(np.float32),
        mm_per_px,
        model,
        triangles,
    )
    far = scalp & (cKDTree(vertices[seen]).query(vertices)[0] > 30)
    return image, scene, far


def bare_scene(vertices, triangles, colors):
    """A head alone, without a second photo."""
    count = len(vertices)
    one, none = np.ones(count, np.float32), np.zeros(count, np.float32)
    return SceneMesh(
        vertices_mm=vertices,
        triangles=triangles,
        model_color=colors,
        normals=np.zeros((count, 3)),
        head_triangles=len(triangles),
        firm_triangles=len(triangles),
        is_head=one,
        firm=one,
        cover=one,
        solid=one,
        second_px=np.zeros((count, 2), np.float32),
        second_weight=none,
        second_gain=np.ones((count, 3), np.float32),
    )


def test_unseen_hair_is_as_streaky_as_the_seen(striped):
    image, scene, far = striped
    given = far & (scene.second_weight > 0)
    assert given.sum() > 0.8 * far.sum()
    taken = sample(image, scene.second_px[given]) * scene.second_gain[given]
    ratio = taken.mean(1) / TONE.mean()
    # a sine of 0.4 spreads by 0.28; the blur that parts tone from strands leaves it four fifths,
    # and edges of 6.5 mm cut some of its height
    assert np.mean(ratio) == pytest.approx(1, abs=0.06)
    assert 0.12 < np.std(ratio) < 0.32


def test_strands_are_taken_from_hair_alone(striped):
    image, scene, far = striped
    taken = sample(image, scene.second_px[far & (scene.second_weight > 0)])
    # the brightest stripe is less than halfway to the skin
    assert (taken.mean(1) < (HAIR.mean() + SKIN.mean()) / 2).all()


def test_what_is_not_hair_stays(striped):
    _, scene, _ = striped
    scalp = load_model("default").regions["scalp"]
    assert not scene.second_weight[~scalp].any()
