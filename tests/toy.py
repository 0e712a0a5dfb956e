"""A small analytic face model for tests: an ellipsoid with a nose, smooth modes, two levels.

It has every field of MorphableModel, nothing in it is random from run to run, and it takes a
fraction of a second to make. The sheet covers longitudes ±110° and latitudes ±65°: an open
surface with one rim, no eyes and no teeth.
"""

from functools import cache

import numpy as np

from faces.mesh import loop_subdivide
from faces.morphable import PARTS, MorphableModel

RADII_MM = np.array([75.0, 105.0, 90.0])
LONGITUDE_DEG, LATITUDE_DEG = 110.0, 65.0
EXPRESSIONS = ("jawOpen", "mouthSmile_L", "mouthSmile_R", "browInnerUp", "eyeBlink_L")


@cache
def toy_model(grid: int = 41, identities: int = 8, albedos: int = 4) -> MorphableModel:
    """The toy with ``grid``² coarse vertices, (2·grid − 1)² fine ones."""
    angles, triangles = _sheet(grid)
    coarse = _level(_surface(angles), angles, triangles, identities, albedos)
    fine_triangles, prolongation = loop_subdivide(triangles, len(angles))

    def fine_of(field):
        return np.stack([prolongation @ channel for channel in field.astype(np.float64)])

    fine = _assemble(
        prolongation @ coarse.mean_mm.astype(np.float64),
        prolongation @ angles,
        fine_triangles,
        fine_of(coarse.identity_mm),
        fine_of(coarse.expression_mm),
        fine_of(coarse.albedo_modes),
        landmarks=coarse.landmarks,
        contour=coarse.contour,
        coarse=coarse,
        prolongation=prolongation.astype(np.float32),
    )
    return fine


def _sheet(grid):
    """(longitude, latitude) radians (grid², 2) and triangles wound outwards."""
    longitude = np.radians(np.linspace(-LONGITUDE_DEG, LONGITUDE_DEG, grid))
    latitude = np.radians(np.linspace(-LATITUDE_DEG, LATITUDE_DEG, grid))
    angles = np.stack(np.meshgrid(longitude, latitude), -1).reshape(-1, 2)
    index = np.arange(grid * grid).reshape(grid, grid)
    a, b, c, d = (
        part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    )
    cells = np.stack([np.stack([a, b, c], 1), np.stack([a, c, d], 1)], 1)
    return angles, cells.reshape(-1, 3).astype(np.int32)


def _bump(points, x, y, across, along=None):
    """A smooth hill on the front of the head, 1 at (x, y) mm, with half-widths in mm."""
    along = across if along is None else along
    hill = np.exp(-0.5 * (((points[:, 0] - x) / across) ** 2 + ((points[:, 1] - y) / along) ** 2))
    return hill * (points[:, 2] > 0)


def _surface(angles):
    """Vertices (V, 3) mm of the mean: ellipsoid, nose, brow ridge, eye sockets, lips, chin."""
    lon, lat = angles.T
    points = RADII_MM * np.stack(
        [np.sin(lon) * np.cos(lat), np.sin(lat), np.cos(lon) * np.cos(lat)], 1
    )
    relief = (
        18 * _bump(points, 0, -12, 10, 9)
        + 8 * _bump(points, 0, 8, 9, 14)
        + 3 * _bump(points, 0, 40, 45, 8)
        - 6 * (_bump(points, -32, 25, 13, 9) + _bump(points, 32, 25, 13, 9))
        + 5 * _bump(points, 0, -45, 20, 9)
        + 6 * _bump(points, 0, -78, 18, 12)
    )
    return points + relief[:, None] * np.array([0.0, 0.0, 1.0])


def _level(mean, angles, triangles, identities, albedos):
    landmarks = _landmark_vertices(mean)
    return _assemble(
        mean,
        angles,
        triangles,
        _identity_modes(angles, identities),
        _expressions(mean),
        _albedo_modes(mean, angles, albedos),
        landmarks={"ibug68": landmarks},
        contour=_contour(mean, angles),
    )


def _assemble(mean, angles, triangles, identity, expression, albedo_modes, **extra):
    uv = angles / np.radians([2 * LONGITUDE_DEG, -2 * LATITUDE_DEG]) + 0.5
    mirrored = mean * np.array([-1.0, 1.0, 1.0])
    return MorphableModel(
        name="toy",
        licence="CC0-1.0",
        mean_mm=mean.astype(np.float32),
        triangles=triangles,
        triangle_part=np.full(len(triangles), PARTS.index("skin"), np.uint8),
        identity_mm=identity.astype(np.float32),
        expression_mm=expression.astype(np.float32),
        expression_names=EXPRESSIONS,
        albedo_mean=_albedo_mean(mean).astype(np.float32),
        albedo_modes=albedo_modes.astype(np.float32),
        uv=uv.astype(np.float32),
        triangle_uv=triangles,
        regions=_regions(mean),
        weights=np.where(mean[:, 2] > 0, 1.0, 0.1).astype(np.float32),
        mirror=_nearest(mirrored, mean),
        **extra,
    )


def _nearest(queries, points):
    return np.array([np.argmin(((points - q) ** 2).sum(1)) for q in queries], dtype=np.int32)


def _identity_modes(angles, count):
    """Low harmonics along x, y and z in turn, 2 mm each (σ), slower ones larger."""
    lon, lat = angles.T
    waves = [
        (i, j, k) for i, j, k in np.ndindex(3, 3, 2) if i + j > 0
    ]  # frequencies along the two angles; phase
    modes = np.zeros((count, len(angles), 3))
    for mode in range(count):
        i, j, phase = waves[(5 * mode) % len(waves)]
        wave = np.cos(1.3 * i * lon + phase * np.pi / 2) * np.cos(2.1 * j * lat + phase * np.pi / 3)
        modes[mode, :, mode % 3] = 2.5 * wave / (1 + 0.15 * mode)
    return modes


def _expressions(points):
    down, back = np.array([0, -1.0, 0]), np.array([0, 0, -1.0])
    jaw = 1 / (1 + np.exp((points[:, 1] + 47) / 4)) * (points[:, 2] > 0)
    corner = np.array([-0.6, 0.8, -0.3])
    fields = [
        jaw[:, None] * (18 * down + 4 * back),
        _bump(points, 25, -45, 10)[:, None] * 8 * corner * [-1, 1, 1],
        _bump(points, -25, -45, 10)[:, None] * 8 * corner,
        _bump(points, 0, 38, 18, 9)[:, None] * -7 * down,
        _bump(points, 32, 30, 14, 5)[:, None] * 6 * down,
    ]
    return np.stack(fields)


def _albedo_mean(points):
    """Skin with darker brows, redder lips and dark eyes."""
    skin = np.array([0.72, 0.55, 0.46])
    brows = sum(_bump(points, s * 34, 40, 18, 4) for s in (-1, 1))
    eyes = sum(_bump(points, s * 32, 25, 9, 5) for s in (-1, 1))
    lips = _bump(points, 0, -45, 20, 8)
    return (
        skin * (1 - 0.55 * np.clip(brows + eyes, 0, 1))[:, None]
        + np.array([0.02, -0.12, -0.08]) * lips[:, None]
    )


def _albedo_modes(points, angles, count):
    lon, lat = angles.T
    cheeks = sum(_bump(points, s * 40, -15, 20) for s in (-1, 1))
    brows = sum(_bump(points, s * 34, 40, 18, 4) for s in (-1, 1))
    patterns = [
        (np.ones_like(lon), (0.08, 0.09, 0.08)),
        (cheeks, (0.08, -0.02, -0.02)),
        (brows, (0.10, 0.10, 0.10)),
        (np.sin(2.5 * lat) * np.cos(3 * lon), (0.04, 0.03, 0.02)),
        (np.sin(3 * lon), (0.02, 0.03, 0.02)),
        (np.cos(4 * lat), (0.02, 0.01, 0.03)),
    ]
    return np.stack([value[:, None] * np.array(color) for value, color in patterns[:count]])


def _landmark_vertices(points):
    """68 distinct vertices nearest to a schematic face drawn in mm from the front."""
    chosen, free = [], points[:, 2] > -40
    for x, y in _drawing():
        distance = (points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2 + np.where(free, 0, 1e9)
        chosen.append(int(distance.argmin()))
        free[chosen[-1]] = False
    return np.array(chosen, dtype=np.int32)


def _drawing():
    """(68, 2) mm, x to image right, y up, in ibug's order."""
    jaw = np.radians(np.linspace(175, 365, 17))
    points = [(70 * np.cos(a), 20 + 110 * min(np.sin(a), 0.1)) for a in jaw]
    brow = [(-52, 38), (-44, 42), (-34, 43), (-24, 42), (-15, 40)]
    points += brow + [(-x, y) for x, y in brow[::-1]]
    points += [(0, 27), (0, 15), (0, 3), (0, -11)]
    points += [(-15, -22), (-7, -24), (0, -25), (7, -24), (15, -22)]
    eye = [(-45, 25), (-37, 30), (-27, 30), (-19, 24), (-27, 20), (-37, 20)]
    points += eye + [(-eye[k][0], eye[k][1]) for k in (3, 2, 1, 0, 5, 4)]
    for count, across, along in ((12, 27, 13), (8, 17, 5)):
        turn = np.pi - 2 * np.pi * np.arange(count) / count
        points += [(across * np.cos(a), -45 + along * np.sin(a)) for a in turn]
    return np.array(points)


def _contour(points, angles, steps=9):
    """(17, steps): at each jaw point's height, a row from the cheek back; at the chin, down."""
    lines = []
    for index, (x, y) in enumerate(_drawing()[:17]):
        start = abs(np.arcsin(np.clip(x / RADII_MM[0], -1, 1)))
        lon = np.sign(x) * np.linspace(max(start - 0.5, 0), 1.6, steps)
        lat = np.full(steps, np.arcsin(np.clip(y / RADII_MM[1], -0.88, 0.88)))
        if index == 8:
            lon, lat = np.zeros(steps), np.radians(np.linspace(-45, -64, steps))
        lines.append(_nearest(np.stack([lon, lat], 1), angles))
    return np.stack(lines)


def _regions(points):
    x, y, z = points.T
    front = z > 0
    regions = {
        "face": front & (y > -95) & (y < 60),
        "narrow_face": front & (abs(x) < 50) & (y > -80) & (y < 50),
        "nose": front & (abs(x) < 16) & (y > -26) & (y < 25),
        "eyes": front & (abs(abs(x) - 32) < 14) & (abs(y - 25) < 8),
        "brows": front & (abs(abs(x) - 34) < 20) & (abs(y - 41) < 6),
        "mouth": front & (abs(x) < 30) & (abs(y + 45) < 15),
        "cheeks": front & (abs(abs(x) - 45) < 15) & (abs(y + 15) < 20),
        "ears": (z < 5) & (z > -20) & (abs(y - 10) < 30) & (abs(x) > 60),
        "neck": y < -92,
        "scalp": (z < -10) | (y > 75),
    }
    return regions
