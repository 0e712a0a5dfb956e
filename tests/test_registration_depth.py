"""Depth cleaning against analytic planes and spheres."""

from dataclasses import replace

import numpy as np
import pytest

from faces.camera import Camera
from faces.errors import BadInput
from faces.types import Landmarks, Provenance, Scan
from registration.depth import DepthSettings, check_depth, clean_depth, face_box

CAMERA = Camera(320, 240, 400.0, 420.0, 155.0, 118.0)
ORTHOGRAPHIC = replace(CAMERA, mm_per_px=0.8)
RADIUS_MM = 90.0


def rays(camera):
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return camera.unproject(np.stack([u, v], -1), np.ones_like(u))


def plane(camera, normal, distance_mm):
    """Depth of the plane n · X = n · (0, 0, distance)."""
    ray = rays(camera)
    if camera.is_perspective:
        return normal[2] * distance_mm / (ray @ normal)
    return distance_mm - (ray[..., :2] @ normal[:2]) / normal[2]


def sphere(camera, centre_mm=(0.0, 0.0, 700.0)):
    """Depth (0 beside it) and outward normals of a sphere before the camera."""
    ray, centre = rays(camera), np.array(centre_mm)
    a, b = (ray**2).sum(-1), ray @ centre
    root = b**2 - a * (centre @ centre - RADIUS_MM**2)
    hit = root > 0
    z = np.where(hit, (b - np.sqrt(np.where(hit, root, 0))) / a, 0)
    return z, (ray * z[..., None] - centre) / RADIUS_MM, hit


def angle_deg(a, b):
    return np.degrees(np.arccos(np.clip((a * b).sum(-1), -1, 1)))


@pytest.mark.parametrize("camera", [CAMERA, ORTHOGRAPHIC])
@pytest.mark.parametrize("tilt_deg", [0, 40, 70])
def test_planes_are_fitted_exactly(camera, tilt_deg):
    normal = np.array([0.6 * np.sin(np.radians(tilt_deg)), 0.8 * np.sin(np.radians(tilt_deg)), 0])
    normal[2] = -np.cos(np.radians(tilt_deg))
    depth = plane(camera, normal, 700.0)
    depth[(depth < 300) | (depth > 2000)] = 0
    cleaned = clean_depth(depth.astype(np.float32), camera, DepthSettings(smooth=True))
    inner = cleaned.valid & ~cleaned.silhouette
    assert inner.sum() > 10_000
    # The fit is exact but for float32 depths (3e-5 mm), differentiated over a pixel of 1–5 mm and
    # then, by the slope, multiplied: under a tenth of a degree.
    assert angle_deg(cleaned.normals[inner], normal).max() < 0.1
    np.testing.assert_allclose(cleaned.depth_mm[inner], depth[inner], rtol=1e-5)
    signed = (cleaned.points_mm[inner] - [0, 0, 700.0]) @ normal
    assert np.abs(signed).max() < 0.02


def test_normals_of_a_noisy_sphere():
    depth, normals, hit = sphere(CAMERA)
    noisy = depth + np.where(hit, np.random.default_rng(0).normal(0, 0.5, depth.shape), 0)
    cleaned = clean_depth(noisy.astype(np.float32), CAMERA, DepthSettings(window=3))
    facing = hit & (normals[..., 2] < -0.5)  # up to 60°, which is what matching uses
    error = angle_deg(cleaned.normals[facing], normals[facing])
    # σ of a slope over 7×7 px of 1.7 mm: 0.5 / (1.7·√196) = 2.1 %, that is 1.2° an axis.
    assert np.median(error) < 2
    assert np.percentile(error, 99) < 6
    norm = np.linalg.norm(cleaned.normals[facing], axis=-1)
    np.testing.assert_allclose(norm, 1, atol=1e-5)


def test_smoothing_reduces_noise_to_a_fifth():
    depth, normals, hit = sphere(CAMERA)
    noisy = depth + np.where(hit, np.random.default_rng(0).normal(0, 1.0, depth.shape), 0)
    cleaned = clean_depth(noisy.astype(np.float32), CAMERA, DepthSettings(smooth=True))
    facing = hit & (normals[..., 2] < -0.7)
    # A mean over 25 pixels leaves 1/5; the sphere's curvature adds its sag of 0.1 mm.
    assert np.std((cleaned.depth_mm - depth)[facing]) < 0.3


def test_spikes_go_and_the_surface_stays():
    rng = np.random.default_rng(3)
    depth, _, hit = sphere(CAMERA)
    noisy = (depth + np.where(hit, rng.normal(0, 0.5, depth.shape), 0)).astype(np.float32)
    spikes = hit & (rng.random(depth.shape) < 0.01)
    noisy[spikes] += rng.choice([-50, 40, 200], spikes.sum()).astype(np.float32)
    cleaned = clean_depth(noisy, CAMERA)
    # Two spikes of the same size side by side hold each other up; at 1 % that is rare.
    assert (cleaned.valid & spikes).sum() <= 0.01 * spikes.sum()
    assert (hit & ~spikes & ~cleaned.valid).sum() < 0.01 * hit.sum()


def test_clumps_of_spikes_go():
    depth, _, _ = sphere(CAMERA)
    depth[100:103, 150:154] += 60
    depth[130:160, 150:180] += 60  # as large as a nose: no spike
    cleaned = clean_depth(depth.astype(np.float32), CAMERA)
    assert not cleaned.valid[100:103, 150:154].any()
    assert cleaned.valid[131:159, 151:179].all()


def test_flying_pixels_between_two_surfaces_go():
    depth = np.full((240, 320), 1400, dtype=np.float32)
    depth[:, :160] = 700
    depth[:, 160] = np.random.default_rng(0).uniform(800, 1300, 240)
    cleaned = clean_depth(depth, CAMERA)
    assert cleaned.valid[:, 160].mean() < 0.05
    assert cleaned.valid[:, 159].all()
    assert cleaned.valid[:, 162:].all()
    assert cleaned.silhouette[1:-1, 159].all()  # the gap that they leave separates two surfaces


def test_outline_is_silhouette_and_hole_rim_is_not():
    depth, _, hit = sphere(CAMERA)
    depth[110:130, 140:170] = 0
    cleaned = clean_depth(depth.astype(np.float32), CAMERA)
    assert not cleaned.silhouette[105:135, 135:175].any()
    inside = np.zeros_like(hit)
    inside[1:-1, 1:-1] = hit[1:-1, :-2] & hit[1:-1, 2:] & hit[:-2, 1:-1] & hit[2:, 1:-1]
    outline = cleaned.valid & ~inside
    assert outline.sum() > 200
    assert cleaned.silhouette[outline].mean() > 0.9


def test_sensor_shadow_beside_a_silhouette_counts_as_jump():
    depth = np.full((240, 320), 1500, dtype=np.float32)
    depth[60:180, 100:200] = 700
    depth[60:180, 200:212] = 0  # what the projector cannot reach: both its sides are silhouette
    cleaned = clean_depth(depth, CAMERA)
    # Near the shadow's open ends a pixel above or below it is nearer than the one across.
    assert cleaned.silhouette[70:170, 199].all()
    assert cleaned.silhouette[70:170, 212].all()
    assert not cleaned.silhouette[62:178, 110:190].any()


def test_depth_out_of_range_and_nan_are_invalid():
    depth = np.full((240, 320), 700, dtype=np.float32)
    depth[:100], depth[100:110], depth[110:120] = np.nan, 20, 60_000
    cleaned = clean_depth(depth, CAMERA)
    assert not cleaned.valid[:120].any()
    assert cleaned.valid[120:].all()
    assert not cleaned.points_mm[:120].any()


def test_size_must_be_the_cameras():
    with pytest.raises(BadInput, match="camera's size"):
        clean_depth(np.zeros((10, 10), dtype=np.float32), CAMERA)


def scan_of(depth, points=((60, 40), (260, 200))):
    corners = np.array(points, dtype=np.float64)
    grid = np.linspace(0, 1, 68)[:, None] * (corners[1] - corners[0]) + corners[0]
    landmarks = Landmarks(grid, "ibug68", np.ones(68))
    color = np.zeros((240, 320, 3), dtype=np.uint8)
    depth = np.asarray(depth, dtype=np.float32)
    return Scan("s/f", "s", color, depth, CAMERA, Provenance("test"), landmarks)


def test_good_depth_passes():
    check_depth(scan_of(np.full((240, 320), 500)))  # the box is 256 px long: 310 mm at 500 mm


def test_all_zero_depth_names_the_scan_and_the_counts():
    with pytest.raises(BadInput, match=r"all zero in the face box \(0 of 32,000") as caught:
        check_depth(scan_of(np.zeros((240, 320))))
    assert "scan 's/f'" in str(caught.value)
    assert "--depth-scale" in str(caught.value)


def test_zero_only_in_the_face_is_seen_too():
    depth = np.full((240, 320), 500)
    depth[30:210, 50:270] = 0
    with pytest.raises(BadInput, match="face box"):
        check_depth(scan_of(depth))
    with pytest.raises(BadInput, match="in the image"):
        check_depth(replace(scan_of(np.zeros((240, 320))), landmarks=None))


@pytest.mark.parametrize(("depth", "factor"), [(0.5, "1000"), (50_000, "0.01"), (500_000, "0.001")])
def test_wrong_scale_says_by_how_much(depth, factor):
    with pytest.raises(BadInput, match=f"multiply --depth-scale by {factor},") as caught:
        check_depth(scan_of(np.full((240, 320), depth)))
    assert "wrong depth scale" in str(caught.value)


def test_face_box_is_cut_to_the_image():
    points = np.array([[-20.0, 30.5], [400.0, 90.2]])
    box = face_box(Landmarks(points, "any", np.ones(2)), (240, 320))
    assert box == (0, 30, 320, 91)
    assert face_box(None, (240, 320)) == (0, 0, 320, 240)
