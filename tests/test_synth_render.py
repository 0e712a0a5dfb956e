"""The rasteriser's back end against a plain float64 one, triangle by triangle."""

from dataclasses import replace

import numpy as np
import pytest

from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from faces.models import load_model
from faces.rotation import matrix_from_euler
from imaging.develop import developed
from imaging.mipmap import mip_levels
from imaging.projection import NEAR_MM
from imaging.shading import phong
from synth.render import UNLIT, RasterRenderer, renderer
from synth.renderer import BUFFERS, PART_LABELS, FaceMesh, Lighting, Topology
from synth.topology import face_mesh
from tests.toy import toy_model

MODEL = toy_model()
SIZE = 240
PINHOLE = Camera(SIZE, SIZE, 640.0, 650.0, 121.3, 118.6)
ORTHOGRAPHIC = replace(PINHOLE, mm_per_px=1.07)
LIGHT = Lighting(
    np.array([[0.35, 0.3, 0.4], *np.random.default_rng(0).normal(0, 0.05, (8, 3))]),
    np.array([0.48, -0.6, -0.64]),
    np.array([0.5, 0.45, 0.4]),
    specular=0.2,
    shininess=8.0,
)


def face(**changes):
    colors = np.random.default_rng(1).uniform(0.2, 0.8, (MODEL.vertex_count, 3))
    return replace(face_mesh(MODEL, MODEL.mean_mm, colors), **changes)


def pose(yaw=0.0, pitch=0.0, z=700.0):
    return Pose(matrix_from_euler(yaw, pitch, 4.0), np.array([3.0, -5.0, z]))


def reference(mesh, where, camera):
    """Ids, depth and perspective-correct weights by exact geometry, one triangle after another."""
    points = where.apply(mesh.vertices_mm.astype(np.float64))
    pixels = camera.project(points)
    ids = np.full((camera.height, camera.width), -1)
    depth = np.full(ids.shape, np.inf)
    weights = np.zeros((*ids.shape, 3))
    for t, corners in enumerate(mesh.topology.triangles):
        p, z = pixels[corners], points[corners, 2]
        low = np.clip(np.floor(p.min(0)).astype(int), 0, SIZE)
        high = np.clip(np.ceil(p.max(0)).astype(int), 0, SIZE)
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
        edges = np.stack([p[1] - p[0], p[2] - p[0]], 1)
        if x.size == 0 or abs(np.linalg.det(edges)) < 1e-12:
            continue
        away = np.stack([x + 0.5 - p[0, 0], y + 0.5 - p[0, 1]], -1)
        b, c = np.moveaxis(away @ np.linalg.inv(edges).T, -1, 0)
        w = np.stack([1 - b - c, b, c], -1)
        if camera.is_perspective:
            w = w / z
            here = 1 / w.sum(-1)
            w = w * here[..., None]
        else:
            here = w @ z
        window = slice(low[1], high[1]), slice(low[0], high[0])
        nearer = (w >= 0).all(-1) & (here < depth[window])
        ids[window][nearer], depth[window][nearer] = t, here[nearer]
        weights[window][nearer] = w[nearer]
    return ids, depth, weights


@pytest.mark.parametrize("camera", [PINHOLE, ORTHOGRAPHIC], ids=["pinhole", "orthographic"])
@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (-55, 20), (90, -25)])
def test_labels_are_those_of_exact_geometry(camera, yaw, pitch):
    """Corners are snapped to 1/256 px: a pixel in some hundred on an edge may change sides. There
    are about 700 on the outline of 25,000, and three times as many on edges inside."""
    mesh, where = face(), pose(yaw, pitch)
    got = RasterRenderer().render(mesh, where, camera, LIGHT, None, BUFFERS).buffers
    ids, depth, weights = reference(mesh, where, camera)
    mask, seen = got["mask"] > 0, ids >= 0
    assert (mask & seen).sum() >= 0.9999 * (mask | seen).sum()
    both = mask & seen
    assert (got["triangle_id"] == ids)[both].mean() >= 0.998
    error = (got["depth_mm"] - depth)[both]
    assert np.sqrt(np.mean(np.clip(error, -5, 5) ** 2)) <= 0.1
    assert (got["triangle_id"][~mask] == -1).all()
    assert all((got[name][~mask] == 0).all() for name in BUFFERS if name != "triangle_id")
    same = both & (got["triangle_id"] == ids)
    triangles, w = mesh.topology.triangles[ids[same]], weights[same]

    def carried(values, corners):
        return np.einsum("nk,nkc->nc", w, values.astype(np.float64)[corners])

    # half a snap moves a weight by 1/500 of a pixel over a triangle's width of two or more, and by
    # more on the few triangles that are seen edge-on
    def close(name, expected, limit):
        assert np.quantile(np.abs(got[name][same] - expected), 0.999) <= limit

    close("pncc", carried(mesh.topology.pncc, triangles), 3e-4)
    close("uv", carried(mesh.topology.uv, mesh.topology.triangle_uv[ids[same]]), 3e-4)
    normals = carried(mesh.normals, triangles) @ where.rotation.T
    close("normal", normals / np.linalg.norm(normals, axis=1, keepdims=True), 3e-3)
    np.testing.assert_array_equal(got["parts"][same], mesh.topology.parts[ids[same]])


@pytest.mark.parametrize("camera", [PINHOLE, ORTHOGRAPHIC], ids=["pinhole", "orthographic"])
def test_colour_is_equation_4(camera):
    """Phong, its ambient term constant, on the reference's pixels; 8 bits and a snap's share."""
    mesh, where = face(), pose(25, -10)
    ambient = np.array([0.3, 0.35, 0.4])
    environment = np.zeros((9, 3))
    environment[0] = ambient
    light = replace(LIGHT, environment=environment)
    got = RasterRenderer(1).render(mesh, where, camera, light)
    ids, depth, weights = reference(mesh, where, camera)
    seen = ids >= 0
    triangles, w = mesh.topology.triangles[ids[seen]], weights[seen]
    tone = np.einsum("nk,nkc->nc", w, mesh.colors.astype(np.float64)[triangles])
    normal = np.einsum("nk,nkc->nc", w, mesh.normals.astype(np.float64)[triangles])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    normal = normal @ (FLIP @ where.rotation).T
    rows, columns = np.nonzero(seen)
    view = np.tile([0.0, 0, -1], (len(rows), 1))
    if camera.is_perspective:
        view = -camera.unproject(np.stack([columns, rows], 1) + 0.5, depth[seen])
        view /= np.linalg.norm(view, axis=1, keepdims=True)
    expected = phong(
        tone, normal, view, light.direction, ambient, light.color, light.specular, light.shininess
    )
    apart = np.abs(got.color[seen] - 255 * np.clip(expected, 0, 1))
    # colours differ by half a unit from vertex to vertex, so a flipped edge shows; one in 500 does
    assert np.quantile(apart.max(1), 0.995) < 2
    assert np.median(apart) <= 0.5


def test_linear_light_is_developed():
    mesh = face(colors=np.full((MODEL.vertex_count, 3), 0.5, np.float32))
    light = replace(UNLIT, environment=1.7 * UNLIT.environment, linear=True)
    got = RasterRenderer(2).render(mesh, pose(), PINHOLE, light, None, ["mask"])
    inside = got.color[100:140, 100:140].reshape(-1, 3)
    # 0.2140 of linear light by IEC 61966-2-1; the fit to its curve is good to 0.002
    expected = developed(np.full((1, 1, 3), 1.7 * 0.2140, np.float32))[0, 0]
    assert np.abs(inside.astype(int) - expected).max() <= 2


def test_color_is_supersampled_and_labels_are_not():
    """A white face on a blue ground: grey only on the outline, labels only what a ray meets."""
    mesh = face(colors=np.ones((MODEL.vertex_count, 3), np.float32))
    ground = np.zeros((SIZE, SIZE, 3), dtype=np.uint8)
    ground[..., 2] = 200
    plain, fine = (
        RasterRenderer(n).render(mesh, pose(), PINHOLE, UNLIT, ground, BUFFERS) for n in (1, 4)
    )
    for name in BUFFERS:
        np.testing.assert_array_equal(plain.buffers[name], fine.buffers[name])
    assert set(np.unique(plain.color[..., 0])) == {0, 255}
    mixed = (fine.color[..., 0] > 0) & (fine.color[..., 0] < 255)
    assert 300 < mixed.sum() < 1500  # a ring one pixel wide
    share = fine.color[mixed, 0] / 255
    # blue = 255·share + 200·(1 − share), rounded once
    assert np.abs(fine.color[mixed, 2] - (255 * share + 200 * (1 - share))).max() <= 1


def test_supersampling_approaches_many_samples():
    """Against 64 samples a pixel, each shaded for itself; the floor is 7 dB below what is met."""
    mesh = face(colors=np.full((MODEL.vertex_count, 3), 0.6, np.float32))
    large = PINHOLE.crop(0, 0, 8 * SIZE, 8 * SIZE, zoom=8)
    whole = RasterRenderer(1).render(mesh, pose(30), large, LIGHT).color
    truth = whole.reshape(SIZE, 8, SIZE, 8, 3).mean((1, 3))

    def decibel(factor):
        apart = RasterRenderer(factor).render(mesh, pose(30), PINHOLE, LIGHT).color - truth
        return 10 * np.log10(255**2 / np.mean(apart**2))

    assert decibel(1) + 4 < decibel(2)
    assert decibel(2) + 3 < decibel(4)


def test_a_texture_is_read_where_its_chart_says():
    """A texture that holds its own coordinates comes back as the buffer "uv"."""
    size = 256
    ramp = (np.arange(size) + 0.5) / size
    texture = np.zeros((size, size, 3), np.float32)
    texture[..., 0], texture[..., 1] = ramp, ramp[:, None]
    mesh = face(texture=mip_levels(texture, None))
    got = RasterRenderer(1).render(mesh, pose(20), PINHOLE, UNLIT, None, ["uv", "mask"])
    inside = np.zeros_like(got.buffers["mask"], bool)
    inside[60:180, 60:180] = got.buffers["mask"][60:180, 60:180] > 0
    uv = got.buffers["uv"][inside]
    assert inside.sum() > 10_000
    # rounding to 8 bits; a coarser level keeps a ramp
    assert np.abs(got.color[inside][:, :2] / 255 - uv).max() < 0.6 / 255 + 1e-3


def plane(slope):
    """A square of two triangles through the camera's own height, turned about x."""
    corners = np.array([[-400, 0, -900], [400, 0, -900], [400, 0, 900], [-400, 0, 900.0]])
    tilt = matrix_from_euler(0, slope)
    points = (corners @ tilt.T).astype(np.float32)
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    pncc = ((corners - corners.min(0)) / [800, 1, 1800]).astype(np.float32)
    topology = Topology(
        triangles,
        np.zeros((0, 2), np.float32),
        np.zeros_like(triangles),
        pncc,
        np.ones(2, np.uint8),
        np.array([0], np.int32),
    )
    normal = np.tile(tilt @ [0, 1.0, 0], (4, 1)).astype(np.float32)
    return FaceMesh(topology, points, normal, np.ones((4, 3), np.float32)), tilt


@pytest.mark.parametrize("mm_per_px", [None, 2.0])
def test_what_crosses_the_near_plane_is_cut_there(mm_per_px):
    """A floor that runs on behind the camera: every ray meets it where the plane's equation says,
    and the triangle and its weights are the whole one's."""
    mesh, tilt = plane(4.0)
    camera = replace(PINHOLE, mm_per_px=mm_per_px)
    where = Pose(np.eye(3), np.array([0.0, 8.0, 100.0]))
    wanted = [name for name in BUFFERS if name != "uv"]
    got = RasterRenderer().render(mesh, where, camera, UNLIT, None, wanted).buffers
    rows, columns = np.mgrid[:SIZE, :SIZE]
    pixels = np.stack([columns, rows], -1) + 0.5
    near, far = (camera.unproject(pixels, np.full((SIZE, SIZE), z)) for z in (1.0, 2.0))
    normal = FLIP @ tilt @ [0, 1.0, 0]
    along = ((where.translation_mm - near) @ normal) / ((far - near) @ normal)
    met = near + along[..., None] * (far - near)
    own = (where.invert(met) @ tilt) / [400, 1, 900]
    inside = (np.abs(own[..., ::2]) < 1).all(-1) & (met[..., 2] >= NEAR_MM)
    mask = got["mask"] > 0
    assert inside.sum() > 3000
    assert (where.apply(mesh.vertices_mm)[:, 2] < 0).any()
    assert (mask != inside).mean() < 0.004  # the outline's pixels, and a snap
    both = mask & inside
    # a snap of 1/512 px in v moves the place on a plane seen at a slant by as much of its slope
    steep = np.abs(np.gradient(met[..., 2], axis=0))
    assert (np.abs(got["depth_mm"] - met[..., 2]) <= 0.01 + steep / 256)[both].all()
    wanted = (own[..., ::2] + 1) / 2
    apart = np.abs(got["pncc"][..., ::2] - wanted).max(-1)
    assert (apart <= 1e-3 + steep / 256 / 400)[both].all()
    side = np.where(own[..., 2] > own[..., 0], 1, 0)
    assert (got["triangle_id"] == side)[both].mean() > 0.995
    assert {0, 1} <= set(np.unique(got["triangle_id"][both]))


def test_landmarks_are_where_the_model_is_and_hidden_behind_it():
    mesh = face()
    for yaw in (-60, 0, 60):
        where = pose(yaw)
        got = RasterRenderer().render(mesh, where, PINHOLE, LIGHT)
        expected = where.apply(MODEL.mean_mm[MODEL.landmarks["ibug68"]].astype(np.float64))
        np.testing.assert_allclose(got.landmarks_mm, expected, atol=1e-4)  # float32 vertices
        np.testing.assert_allclose(got.landmarks_px, PINHOLE.project(expected), atol=1e-3)
        # the nose looks to image right at yaw > 0: the face's image-right half is then turned away
        right, left = got.landmarks_visible[12:17].sum(), got.landmarks_visible[:5].sum()
        assert np.sign(left - right) == np.sign(yaw)
    out = replace(where, translation_mm=np.array([900.0, 0, 700]))
    got = RasterRenderer().render(mesh, out, PINHOLE, LIGHT, None, ["mask"])
    assert not got.landmarks_visible.any()
    assert not got.buffers["mask"].any()


def test_shadows_take_light_away_alone():
    """A lamp at the face's side: the nose darkens the far cheek, as its own outline says."""
    model = load_model("default")
    mesh = face_mesh(model, model.mean_mm, np.full_like(model.mean_mm, 0.7))
    lamp = np.array([0.85, -0.25, -0.47])
    light = replace(UNLIT, color=np.ones(3), direction=lamp / np.linalg.norm(lamp))
    light = replace(light, environment=0.1 * light.environment)
    where = Pose(np.eye(3), np.array([0.0, 0, 700]))
    bare = RasterRenderer(1).render(mesh, where, PINHOLE, light).color[..., 0].astype(int)
    shaded = RasterRenderer(1).render(mesh, where, PINHOLE, replace(light, shadows=True)).color
    lost = bare - shaded[..., 0]
    assert (lost >= 0).all()
    rows, columns = np.nonzero(lost > 20)
    tip, corner = PINHOLE.project(where.apply(model.mean_mm[model.landmarks["ibug68"][[30, 48]]]))
    beside = (np.abs(rows - tip[1]) < 15) & (columns > corner[0] - 20) & (columns < tip[0])
    assert beside.sum() > 60
    assert 200 < len(rows) < 0.3 * (bare > 0).sum()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"buffers": ["depth"]}, "unknown 'depth'"),
        ({"background": np.zeros((4, 4, 3), np.uint8)}, "resize it"),
        ({"camera": replace(PINHOLE, distortion=(0.1,))}, "undistort"),
    ],
)
def test_what_cannot_be_rendered_is_refused(ask, words):
    ask = {"camera": PINHOLE, "lighting": LIGHT} | ask
    with pytest.raises(BadInput, match=words):
        RasterRenderer().render(face(), pose(), **ask)


def test_a_back_end_has_a_name():
    assert renderer("raster", 4).supersample == 4
    with pytest.raises(BadInput, match="raster, gl, cuda"):
        renderer("vulkan")
    with pytest.raises(BadInput, match="1, 2, 4, 8"):
        RasterRenderer(3)
    assert PART_LABELS[1] == "skin"
