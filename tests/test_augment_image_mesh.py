from dataclasses import fields, replace

import numpy as np

from augment.background import BackgroundSettings
from augment.foreground import ForegroundSettings, background_sheet, cropped, split_layers
from augment.grid import grid_triangles
from augment.visibility import judge, source_maps
from faces.camera import Camera
from faces.cutout import HeadImage
from faces.mesh import triangle_normals, unique_edges, vertex_normals
from faces.scan_person import denoise
from faces.texture import sample
from faces.visibility import view_directions
from imaging.raster import rasterise
from tests.staged import CAMERA, stage


def test_no_triangle_bridges_a_jump_and_cells_stay_together():
    rng = np.random.default_rng(0)
    depth = 800 + rng.uniform(0, 5, (20, 30)) + np.where(np.arange(30) > 14, 300, 0)
    triangles = grid_triangles(np.ones(depth.shape, bool), depth, 20.0)
    corners = depth.ravel()[triangles]
    assert np.ptp(corners, axis=1).max() <= 20
    assert len(triangles) == 2 * 19 * 28  # one column of cells is cut
    cells = np.sort(triangles.reshape(-1, 6), axis=1)
    assert all(len(set(cell)) == 4 for cell in cells)  # neighbours in the buffer share a cell


def test_grid_triangles_face_the_camera():
    depth = 700 + 3 * np.random.default_rng(1).normal(size=(12, 12))
    triangles = grid_triangles(np.ones(depth.shape, bool), depth, 50.0)
    v, u = np.mgrid[:12, :12] + 0.5
    points = Camera.from_fov(12, 12, 10).unproject(
        np.stack([u.ravel(), v.ravel()], 1), depth.ravel()
    )
    assert np.all(triangle_normals(points, triangles)[:, 2] < 0)


def layers_of(depth, head, trusted):
    return split_layers(
        depth,
        HeadImage(head, trusted, np.zeros_like(trusted), np.zeros_like(trusted)),
        1.0,
        ForegroundSettings(),
        BackgroundSettings(),
    )


def disc(shape, centre, radius):
    v, u = np.mgrid[: shape[0], : shape[1]]
    return np.hypot(u - centre[0], v - centre[1]) < radius


def test_foreground_takes_hair_and_shoulders_and_leaves_wall_and_bystanders():
    shape = (160, 200)
    face = disc(shape, (100, 80), 40)
    hair = disc(shape, (100, 80), 55) & ~face
    fringe = disc(shape, (100, 50), 15)
    bystander = disc(shape, (20, 20), 12)
    hole = disc(shape, (100, 130), 4)  # in the hair, dark
    head = np.where(face, 700, 0).astype(np.float32)
    depth = np.full(shape, 1500, np.float32)
    depth[hair] = 730
    depth[face] = 700
    depth[fringe] = 680
    depth[bystander] = 720
    depth[hole] = 0
    layers = layers_of(depth, head, face)
    assert layers.foreground[face | hair | hole].all()
    assert not layers.foreground[bystander].any()
    assert layers.foreground.sum() <= (face | hair).sum() + 60
    assert (layers.occluder == fringe).mean() > 0.995
    np.testing.assert_allclose(layers.surface_mm[hole], 730, atol=3)
    sheet = background_sheet(layers, ForegroundSettings(), BackgroundSettings())
    np.testing.assert_allclose(sheet, 1500, atol=1e-3)


def test_hollow_background_becomes_a_plane_behind_the_head():
    face = disc((100, 100), (50, 50), 30)
    head = np.where(face, 700, 0).astype(np.float32)
    layers = layers_of(head, head, face)
    assert np.array_equal(layers.foreground, face)
    sheet = background_sheet(layers, ForegroundSettings(), BackgroundSettings())
    np.testing.assert_allclose(sheet, 900)  # 200 mm behind, as documented


def test_denoise_keeps_steps_and_holes_and_removes_noise():
    rng = np.random.default_rng(2)
    clean = np.where(np.arange(80) < 40, 700, 900) * np.ones((60, 1))
    noisy = (clean + rng.normal(0, 2, clean.shape)).astype(np.float32)
    noisy[20:24, 10:14] = 0
    smooth = denoise(noisy)
    valid = noisy > 0
    assert np.array_equal(smooth[20:24, 10:14], np.zeros((4, 4)))
    assert (smooth - clean)[valid].std() < 1.0  # 49 pixels average 2 mm; the median costs a little
    assert np.abs(smooth[:, 39:41] - clean[:, 39:41])[valid[:, 39:41]].max() < 6


def test_judgement_tells_the_back_the_rim_and_the_hidden():
    staged = stage()
    vertices, model = staged.face.vertices_mm, staged.model
    shown = rasterise(CAMERA.screen(vertices), model.triangles, (320, 240))
    layers = layers_of(staged.scan.depth_mm, shown.depth, shown.mask)
    maps = source_maps(layers)
    normals = vertex_normals(vertices, model.triangles)
    facing = (normals * view_directions(vertices, CAMERA)).sum(1)[:, None]
    column, every = vertices[:, None].astype(np.float32), np.ones_like(facing, dtype=bool)
    trust, pixels = judge(column, facing, np.ones_like(facing), every, every, maps, CAMERA)
    assert np.array_equal(trust.back_facing, facing <= 0)
    assert trust.weight[facing < np.cos(np.radians(74))].max() == 0
    front = facing > 0.6
    assert trust.weight[front].min() > 0.98
    behind = column + np.float32([0, 0, 20])
    hidden, _ = judge(behind, facing, np.ones_like(facing), every, every, maps, CAMERA)
    assert hidden.hidden[front].all()
    assert hidden.weight.max() == 0
    np.testing.assert_allclose(pixels[:, 0], CAMERA.project(vertices), atol=1e-3)


def test_sample_is_bilinear_with_centres_at_half():
    image = np.arange(12, dtype=np.float32).reshape(3, 4, 1).repeat(3, 2)
    pixels = np.array([[0.5, 0.5], [2.0, 1.5], [3.5, 2.5], [np.nan, 0]])
    np.testing.assert_allclose(sample(image, pixels)[:3, 0], [0, 5.5, 11])


def test_edges_of_a_grid_are_shared():
    triangles = grid_triangles(np.ones((4, 5), bool), np.full((4, 5), 1.0), 1.0)
    assert len(unique_edges(triangles)) == 3 * 5 + 4 * 4 + 12  # rows, columns, diagonals


def test_maps_of_a_part_are_those_of_the_whole():
    staged = stage()
    shown = rasterise(CAMERA.screen(staged.face.vertices_mm), staged.model.triangles, (320, 240))
    layers = layers_of(staged.scan.depth_mm, shown.depth, shown.mask)
    wide = {f.name: getattr(layers, f.name) for f in fields(layers) if f.name != "far_mm"}
    wide = {name: np.pad(image, ((30, 50), (70, 40))) for name, image in wide.items()}
    around = source_maps(replace(layers, **wide)).surfaces[:, 30:-50, 70:-40]
    # up to the reach of votes and rims from the border, beyond which nothing is known
    inner = np.s_[:, 16:-16, 16:-16]
    np.testing.assert_array_equal(around[inner], source_maps(layers).surfaces[inner])
    back = cropped(replace(layers, **wide), np.s_[30:-50, 70:-40])
    assert all(np.array_equal(getattr(back, name), getattr(layers, name)) for name in wide)
