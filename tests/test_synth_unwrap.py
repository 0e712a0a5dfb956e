"""A face's texture from a photo of it: a known texture rendered, unwrapped, and compared."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from faces.appearance import render_texture, view_directions
from faces.camera import Camera, Pose
from faces.mesh import vertex_normals
from faces.mirror import mirrored_vertices
from faces.models import load_model
from faces.rotation import matrix_from_euler
from faces.types import Appearance, FaceFit, Provenance, Quality, RegisteredFace, Scan
from imaging.mipmap import mip_levels
from imaging.raster import downsample, rasterise
from imaging.shading import phong, sample_texture
from synth.settings import RenderSettings
from synth.unwrap import atlas_of, unwrap, without_light

SIZE = 256
CAMERA = Camera.from_fov(512, 512, 22.0)
LIGHT = {
    "ambient": np.array([0.62, 0.6, 0.58]),
    "directional": np.array([0.4, 0.38, 0.36]),
    "light": np.array([0.35, -0.3, -0.887]),
    "specular": 0.05,
    "shininess": 12.0,
}
FOCUS = RenderSettings(texture_px=SIZE)


@cache
def model():
    return load_model("default")


def painted(seed, symmetric):
    """(V, 3) the model's albedo with soft blotches of a tenth, 15 to 40 mm wide."""
    rng, place = np.random.default_rng(seed), model().mean_mm.astype(float)
    if symmetric:
        place = np.abs(place * [1, 0, 0]) + place * [0, 1, 1]
    waves = rng.normal(0, 2 * np.pi / 25, (6, 3))
    tone = np.cos(place @ waves.T + rng.uniform(0, 6, 6)) @ rng.normal(0, 0.05, (6, 3))
    albedo = model().albedo_mean * (1 + tone)
    if symmetric:
        partner, paired = mirrored_vertices(model())
        albedo = np.where(paired[:, None], (albedo + albedo[partner]) / 2, albedo)
    return np.clip(albedo, 0, 1).astype(np.float32)


def photographed(albedo, yaw_deg=0.0, light=LIGHT):
    """The mean head in the painted texture before a camera: scan, face, its share of the pixels,
    and the texture."""
    pose = Pose(matrix_from_euler(yaw_deg), np.array([0.0, 0.0, 900.0]))
    vertices = pose.apply(model().mean_mm.astype(float))
    texture = atlas_of(model(), SIZE).to_map(albedo)
    fine = CAMERA.crop(0, 0, 1024, 1024, zoom=2)
    seen = rasterise(fine.screen(vertices), model().triangles, (1024, 1024))
    normals = vertex_normals(vertices, model().triangles)
    at, way = (seen.interpolate(v, model().triangles)[seen.mask] for v in (vertices, normals))
    way = way / np.linalg.norm(way, axis=1, keepdims=True)
    paint = seen.interpolate(albedo, model().triangles)[seen.mask]
    color = np.full((1024, 1024, 3), 0.3)
    color[seen.mask] = phong(paint, way, view_directions(at), **_named(light))
    appearance = Appearance(
        beta=np.zeros(0), albedo=albedo, colors=np.zeros((0, 3), np.float32), **light
    )
    appearance = replace(appearance, colors=render_texture(appearance, model(), vertices))
    nothing = Quality("accept", "", np.nan, np.nan, np.nan, 0.0)
    fit = FaceFit(pose, np.zeros(0), np.zeros(0), vertices)
    share = downsample(seen.mask[..., None].astype(np.float32), 2)[..., 0]
    photo = np.rint(255 * downsample(np.clip(color, 0, 1), 2)).astype(np.uint8)
    of = Provenance("test")
    scan = Scan("a", "a", photo, np.zeros((512, 512), np.float32), CAMERA, of)
    face = RegisteredFace(
        "a",
        "a",
        of,
        model().name,
        vertices,
        model().mean_mm.astype(float),
        pose,
        fit,
        appearance,
        np.ones(len(vertices), bool),
        np.full(len(vertices), np.nan, np.float32),
        CAMERA,
        nothing,
    )
    return scan, face, share, texture


def _named(light):
    return {name: light[name] for name in ("light", "ambient", "directional")} | {
        "specular": light["specular"],
        "shininess": light["shininess"],
    }


def facing(face, at=slice(None)):
    """(S, S) cosine to the camera of the texels of the inner face, -1 elsewhere; of the places
    that vertices ``at`` have."""
    atlas = atlas_of(model(), SIZE)
    normals = vertex_normals(face.vertices_mm, model().triangles)
    cosine = (normals * view_directions(face.vertices_mm)).sum(1)[at]
    inner = model().regions["narrow_face"] & model().part_vertices("skin")
    shares = atlas.to_map(np.stack([cosine, inner], 1))
    return np.where(shares[..., 1] > 0.999, shares[..., 0], -1)


def rmse(a, b):
    return float(np.sqrt(np.mean((a - b) ** 2)))


def test_what_the_photo_shows_is_recovered():
    scan, face, share, texture = photographed(painted(1, False))
    found = unwrap(scan, face, model(), FOCUS, share)
    shown = facing(face) > 0.8
    assert shown.sum() > 3000
    # 1/255 of rounding, and a photo's pixel of 0.7 mm averages over what the texture has within
    # it: brows and lips' rims, a few texels, make up the most of it
    assert rmse(found[shown], texture[shown]) < 0.012
    # the painted tones, which the fit's albedo does not hold here, are in the photo alone
    plain = replace(face, appearance=replace(face.appearance, albedo=model().albedo_mean))
    assert rmse(unwrap(scan, plain, model(), FOCUS, share)[shown], texture[shown]) < 0.012


def test_the_hidden_side_of_a_symmetric_face_is_the_seen_sides_mirror_image():
    scan, face, share, texture = photographed(painted(2, True), yaw_deg=35.0)
    mean = model().albedo_mean
    plain = replace(face, appearance=replace(face.appearance, albedo=mean))
    partner, _ = mirrored_vertices(model())
    other = facing(face, partner)
    hidden = (facing(face) > -1) & (facing(face) < 0.15) & (other > 0.7)
    assert hidden.sum() > 1500
    found = unwrap(scan, plain, model(), FOCUS, share)[hidden]
    # what the seen half is good to, mirrored vertex by vertex: no step is lossier there
    assert rmse(found, texture[hidden]) < 0.012
    blank = atlas_of(model(), SIZE).to_map(mean)[hidden]
    assert rmse(found, texture[hidden]) < 0.3 * rmse(blank, texture[hidden])


def test_kept_light_gives_the_photo_back():
    scan, face, share, _ = photographed(painted(1, False))
    found = unwrap(scan, face, model(), replace(FOCUS, light="kept"), share)
    shown = facing(face) > 0.8
    lit = atlas_of(model(), SIZE).to_map(face.appearance.colors)
    assert rmse(found[shown], lit[shown]) < 0.012  # as above
    assert rmse(unwrap(scan, face, model(), FOCUS, share)[shown], lit[shown]) > 0.02


def test_a_phong_light_is_taken_off_exactly():
    rng = np.random.default_rng(3)
    normals = rng.normal((0, 0, -2), 1, (500, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    view = np.tile([0.0, 0.0, -1.0], (500, 1))
    albedo = rng.uniform(0.1, 0.7, (500, 3))
    colors = phong(albedo, normals, view, **_named(LIGHT))
    light = Appearance(beta=np.zeros(0), albedo=np.zeros((0, 3)), colors=np.zeros((0, 3)), **LIGHT)
    found = without_light(colors, normals, view, light)
    np.testing.assert_allclose(found, albedo, atol=1e-6)  # float32 of values below 1


def test_no_light_is_divided_by():
    dark = Appearance(
        beta=np.zeros(0),
        albedo=np.zeros((0, 3)),
        colors=np.zeros((0, 3)),
        ambient=np.zeros(3),
        directional=np.ones(3),
        light=np.array([0.0, 0.0, -1.0]),
        specular=0.0,
        shininess=1.0,
    )
    away, view = np.array([[0.0, 0.0, 1.0]]), np.array([[0.0, 0.0, -1.0]])
    found = without_light(np.full((1, 3), 0.1), away, view, dark)
    assert found.max() < 0.3  # 0.1 over a third of the lamp, not over nothing


@pytest.mark.parametrize("side", [-1, 1])
def test_a_hand_before_a_cheek_is_not_painted_on_it(side):
    scan, face, share, texture = photographed(painted(4, True))
    cheek = face.vertices_mm[model().landmarks["ibug68"][3 if side < 0 else 13]] * [0.7, 1, 1]
    column, row = CAMERA.project(cheek)
    y, x = np.mgrid[:512, :512]
    glove = np.hypot(x - column, y - row) < 28  # 19 mm
    scan.color[glove] = (30, 160, 60)
    found = unwrap(scan, face, model(), FOCUS, share)
    shown = (facing(face) > 0.8) & (atlas_of(model(), SIZE).mask)
    greenness = (found[..., 1] - found[..., 0])[shown]
    assert greenness.max() < (texture[..., 1] - texture[..., 0])[shown].max() + 0.06
    assert rmse(found[shown], texture[shown]) < 0.02  # mirrored there, by the other cheek


def test_seams_of_the_chart_do_not_show():
    scan, face, share, _ = photographed(painted(1, False), yaw_deg=20.0)
    found = unwrap(scan, face, model(), FOCUS, share)
    corners, chart = model().triangles.ravel(), model().triangle_uv.ravel()
    order = np.argsort(corners, kind="stable")
    corners, chart = corners[order], chart[order]
    same = (corners[1:] == corners[:-1]) & (chart[1:] != chart[:-1])
    skin = model().part_vertices("skin")[corners[1:]]
    a, b = (model().uv[chart[k][same & skin]] for k in (np.s_[1:], np.s_[:-1]))
    inside = atlas_of(model(), SIZE).mask
    padded = mip_levels(found, inside)[0]
    apart = np.abs(sample_texture(padded, a) - sample_texture(padded, b)).max(1)
    assert len(apart) > 20
    assert np.percentile(apart, 95) < 0.06  # a texel of 2 mm on either side
