"""A view's picture in plain numpy: every sample of every layer as whole images."""

import cv2
import numpy as np

from augment import turn_kernels as kernels
from augment.view_mesh import turn_deg, turn_mesh
from imaging.raster import rasterise


def sampled(image, pixels):
    """OpenCV's look-up, pixel centres at +0.5; it rounds places to 1/32 px."""
    u, v = np.moveaxis(pixels.astype(np.float32) - np.float32(0.5), -1, 0)
    return cv2.remap(image, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def smoothstep(t):
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def by_numpy(staged, source, pose, camera, settings):
    """Photo, donor, trust and alpha: every sample of every layer as whole images."""
    factor = settings.supersample
    fine = camera.crop(0, 0, camera.width * factor, camera.height * factor, factor)
    mesh, scene = source.mesh, source.scene
    turned = turn_mesh(mesh, staged.face.pose, pose, fine, settings.visibility)
    head = scene.triangles[: scene.firm_triangles]
    judged = staged, source, turned, fine, pose, settings
    back = layer(*judged, head)
    front = layer(*judged, scene.triangles)
    on_grid = front["id"] >= scene.firm_triangles
    share = np.where(on_grid, front["opacity"], 1.0) * (front["id"] >= 0)
    rest = (1 - share) * (back["id"] >= 0) * on_grid

    def mean(image):
        return blocks(image, factor)

    alpha = mean(share + rest)
    trust = mean(share * front["trust"] + rest * back["trust"])
    weights = share * front["trust"], rest * back["trust"]
    photo = mean(weights[0][..., None] * front["photo"] + weights[1][..., None] * back["photo"])
    any_photo = mean(share[..., None] * front["photo"] + rest[..., None] * back["photo"])
    donor = mean(share[..., None] * front["donor"] + rest[..., None] * back["donor"])
    with np.errstate(invalid="ignore", divide="ignore"):
        photo = np.where(
            trust[..., None] > 1e-6, photo / trust[..., None], any_photo / alpha[..., None]
        )
        return photo, donor / alpha[..., None], trust / alpha, alpha


def layer(staged, source, turned, fine, pose, settings, triangles):
    """What some of the scene's triangles show at every sample."""
    shown = rasterise(turned.screen, triangles, (fine.width, fine.height), fine.is_perspective)
    static = shown.interpolate(source.mesh.static, triangles).astype(np.float64)
    varying = shown.interpolate(turned.varying, triangles).astype(np.float64)
    is_head = shown.triangle_id < source.scene.head_triangles
    pixels = np.nan_to_num(staged.face.camera.project(static[..., :3]), nan=-1.0)
    turned_deg = turn_deg(staged.face.pose, pose)
    limits = settings.visibility
    trust = trusted(static, varying, is_head, pixels, source.maps.surfaces, turned_deg, limits)
    return {
        "id": shown.triangle_id,
        "photo": sampled(source.color, pixels),
        "donor": donor(shown, triangles, source, static),
        "trust": trust,
        "opacity": varying[..., 1],
    }


def donor(shown, triangles, source, static):
    """The model's colour and, as far as it weighs, the mirrored photo in its place."""
    weight, vertices = static[..., [kernels.SECOND_WEIGHT]], source.mesh.static
    second_px = slice(kernels.SECOND_PX, kernels.SECOND_PX + 2)
    weighed = vertices[:, [kernels.SECOND_WEIGHT]] * vertices[:, second_px]
    with np.errstate(invalid="ignore", divide="ignore"):
        pixels = np.where(weight > 0, shown.interpolate(weighed, triangles) / weight, 0.5)
    gain = static[..., kernels.SECOND_GAIN : kernels.SECOND_GAIN + 3]
    tone = static[..., kernels.COLOR : kernels.COLOR + 3]
    return tone + weight * (gain * sampled(source.color, pixels) - tone)


def trusted(static, varying, is_head, pixels, surfaces, turned_deg, limits):
    """The rules of augment.visibility, image by image."""
    height, width = surfaces.shape[1:3]
    inside = (pixels >= 0).all(-1) & (pixels < (width, height)).all(-1)
    pixels = np.where(inside[..., None], pixels, 1.0)
    column, row = np.floor(pixels).astype(int).reshape(-1, 2).T
    places = (1 - is_head.astype(int)).ravel(), row, column
    own = surfaces[..., 0][places].reshape(is_head.shape)
    clean = cover = 0
    left, top = np.floor(pixels - 0.5).astype(int).reshape(-1, 2).T
    a, b = (pixels - 0.5 - np.floor(pixels - 0.5)).reshape(-1, 2).T
    for y, x, share in (
        (0, 0, (1 - a) * (1 - b)),
        (0, 1, a * (1 - b)),
        (1, 0, (1 - a) * b),
        (1, 1, a * b),
    ):
        within = (left + x >= 0) & (left + x < width) & (top + y >= 0) & (top + y < height)
        spot = places[0], np.clip(top + y, 0, height - 1), np.clip(left + x, 0, width - 1)
        clean = clean + share * np.where(within, surfaces[..., 1][spot], 0)
        cover = np.maximum(cover, np.where(within, surfaces[..., 2][spot], 0))
    clean, cover = clean.reshape(is_head.shape), cover.reshape(is_head.shape)
    facing, view_facing = static[..., 6], varying[..., 0]
    ratio = view_facing / np.maximum(facing, 1e-3)
    larger = smoothstep((ratio - limits.enlarged[0]) / np.ptp(limits.enlarged))
    low = np.cos(np.radians(limits.stretched_deg))
    high = np.cos(np.radians(limits.stretched_deg - limits.feather_deg))
    flat = smoothstep((facing - low) / (high - low)) * smoothstep(2 * clean - 1)
    weight = np.where(facing > 0, own * (1 - larger * (1 - flat)), 0)
    turned = min(turned_deg / limits.settled_deg, 1)
    hidden = static[..., 2] > cover + limits.hidden_mm / np.clip(facing, 0.25, 1)
    return np.where(inside & ~hidden, 1 - turned * (1 - weight), 0)


def blocks(image, factor):
    height, width = (edge // factor for edge in image.shape[:2])
    return image.reshape(height, factor, width, factor, *image.shape[2:]).mean((1, 3))
