"""What a model needs besides its shapes, derived from its 68 landmarks: regions, weights, mirror.

All lengths are shares of the outer interocular distance d of the mean, so one rule serves models of
any size; the head stands upright in the model frame (y up, z out of the face).
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from scipy.spatial import cKDTree

from faces.mesh import soften, vertex_normals
from faces.models.ears import find_ears

# The mirrored point of each ibug68 point.
_JAW_BROWS_BRIDGE = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
_EYES = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
_LIPS = [*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]
MIRROR_68 = np.array(_JAW_BROWS_BRIDGE + _EYES + _LIPS)


@dataclass(frozen=True, slots=True)
class Head:
    """A mean shape seen through its landmarks.

    Attributes:
        vertices: (V, 3) float64 mm, model frame.
        normals: (V, 3) float64, outward.
        skin: (V,) bool, vertices of the skin alone.
        points: (68, 3) float64, ibug68.
        ears: (V,) bool.
    """

    vertices: np.ndarray
    normals: np.ndarray
    skin: np.ndarray
    points: np.ndarray
    ears: np.ndarray

    @property
    def d(self) -> float:
        """Outer interocular distance, mm."""
        return float(np.linalg.norm(self.points[45] - self.points[36]))

    def azimuth(self, points: np.ndarray) -> np.ndarray:
        """Angle (N,) rad about the vertical axis through the ears; 0 is straight ahead."""
        axis = self.points[[0, 16], 2].mean() - 0.1 * self.d
        return np.arctan2(points[:, 0], points[:, 2] - axis)


def make_head(vertices, triangles, skin, landmarks, ears=None) -> Head:
    """A Head of vertices (V, 3) mm, triangles (T, 3), skin (V,) bool and ibug68 indices (68,).

    ``ears`` (V,) bool is taken as given, else found beside and behind the jaw's upper ends.
    """
    vertices = np.asarray(vertices, dtype=np.float64)
    normals = vertex_normals(vertices, triangles)
    head = Head(vertices, normals, skin, vertices[landmarks], np.zeros(len(vertices), dtype=bool))
    found = find_ears(head, triangles) if ears is None else ears & skin
    return Head(vertices, normals, skin, head.points, found)


def find_mirror(vertices: np.ndarray) -> np.ndarray:
    """For each vertex (V,) int32 the one nearest to its mirror image in x; an involution.

    Pairs that do not choose each other keep their own index.
    """
    mirrored = np.asarray(vertices, dtype=np.float64) * [-1, 1, 1]
    nearest = cKDTree(vertices).query(mirrored)[1]
    own = np.arange(len(vertices))
    return np.where(nearest[nearest] == own, nearest, own).astype(np.int32)


def find_opposite(vertices: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """For each vertex (V,) int32 the one of the same kind nearest to its mirror image in x.

    No involution on a mesh whose halves differ, but always a vertex of the other side. ``skin``
    (V,) bool tells skin from eyeballs behind it.
    """
    opposite = np.arange(len(vertices), dtype=np.int32)
    for kind in (np.flatnonzero(skin), np.flatnonzero(~skin)):
        if len(kind):
            mirrored = np.asarray(vertices[kind], dtype=np.float64) * [-1, 1, 1]
            opposite[kind] = kind[cKDTree(vertices[kind]).query(mirrored)[1]]
    return opposite


def find_regions(head: Head, mirror: np.ndarray, triangles: np.ndarray) -> dict[str, np.ndarray]:
    """The named (V,) bool regions of MorphableModel, on the skin, each its own mirror image.

    Each vertex of the skin lies in exactly one of face, ears, neck and scalp, whose borders are
    smoothed over the triangles (T, 3).
    """
    p, d = head.points, head.d
    front = head.skin & ~head.ears & (head.vertices[:, 2] > p[[0, 16], 2].mean())
    eyes = _inside(head, p[36:42], 0.09 * d) | _inside(head, p[42:48], 0.09 * d)
    brows = _near(head, p[17:22], 0.075 * d) | _near(head, p[22:27], 0.075 * d)
    nose = _inside(head, p[[27, 31, 32, 33, 34, 35]], 0.09 * d)
    mouth = _inside(head, p[48:60], 0.07 * d)
    ears = head.ears | head.ears[mirror]
    face = _evened(_face(head) | ears, head.skin, triangles) & ~ears
    face &= face[mirror]
    features = front & face
    eyes, brows, nose, mouth = (features & mask for mask in (eyes, brows, nose, mouth))
    narrow = features & _inside(head, p[np.r_[5:12, 17:27]], 0.09 * d)
    low = head.vertices[:, 1] < p[[36, 45], 1].mean() - 0.1 * d
    cheeks = face & low & ~(nose | mouth | eyes) & (np.abs(head.vertices[:, 0]) > 0.2 * d)
    scalp = head.skin & ~face & ~ears & _above_hairline(head)
    scalp = _evened(scalp | ears, head.skin, triangles) & ~face & ~ears
    scalp |= head.skin & ~face & ~ears & (head.vertices[:, 1] > p[[0, 16], 1].mean() - 0.15 * d)
    scalp &= scalp[mirror]
    neck = head.skin & ~(face | ears | scalp)
    regions = {
        "face": face,
        "narrow_face": narrow | eyes | nose | mouth | brows,
        "nose": nose,
        "eyes": eyes,
        "brows": brows,
        "mouth": mouth,
        "cheeks": cheeks,
        "ears": ears,
        "neck": neck,
        "scalp": scalp,
    }
    return {name: mask & mask[mirror] for name, mask in regions.items()}


def _evened(mask: np.ndarray, skin: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The mask (V,) without teeth of a triangle's size along its border."""
    return skin & (soften(mask, triangles, 8) > 0.5 * soften(skin, triangles, 8))


def find_weights(regions: dict[str, np.ndarray], eyeballs: np.ndarray) -> np.ndarray:
    """Training weights (V,) float32: 1.0 features and eyeballs, 0.8 the face's rest, 0.1 others."""
    weights = np.where(regions["face"], 0.8, 0.1)
    features = regions["eyes"] | regions["brows"] | regions["nose"] | regions["mouth"] | eyeballs
    weights[features] = 1.0
    return weights.astype(np.float32)


def find_contour(head: Head, mirror: np.ndarray, landmarks: np.ndarray, count: int = 9):
    """Contour lines (17, count) int32: for each jaw point the surface curve it slides along.

    The curve is the cut of the skin by a half-plane through the line that runs straight back from
    under the nose; it passes over the cheek, through the jaw point, and round to ear or throat.
    """
    candidates = np.flatnonzero(head.skin & ~head.ears)
    lines = np.zeros((17, count), dtype=np.int32)
    for jaw in range(9):
        lines[jaw] = _contour_line(head, candidates, landmarks[jaw], count)
        lines[16 - jaw] = mirror[lines[jaw]]
    centre = lines[8]
    on_line = candidates[np.abs(head.vertices[candidates, 0]) < 0.02 * head.d]
    lines[8] = on_line[cKDTree(head.vertices[on_line]).query(head.vertices[centre])[1]]
    lines[:, count // 2] = landmarks[:17]
    return lines


def find_dense(
    head: Head, region: np.ndarray, mirror: np.ndarray, landmarks: np.ndarray, count=240
):
    """``count`` distinct vertices (count,) int32: ibug68, then a symmetric spread over ``region``.

    Between neighbours along jaw, brows, lids, nose and lips first, then always the vertex farthest
    from those chosen, with its mirror image.
    """
    chosen = list(landmarks)
    allowed = np.flatnonzero(region)
    tree = cKDTree(head.vertices[allowed])
    for a, b in _neighbours_68():
        near = allowed[tree.query((head.points[a] + head.points[b]) / 2, k=4)[1]]
        _add_pair(chosen, next((v for v in near if v not in chosen), None), mirror)
    distance = cKDTree(head.vertices[chosen]).query(head.vertices[allowed])[0]
    while len(chosen) < count:
        before = len(chosen)
        _add_pair(chosen, int(allowed[np.argmax(distance)]), mirror)
        for new in {*chosen[before:], int(allowed[np.argmax(distance)])}:
            gap = np.linalg.norm(head.vertices[allowed] - head.vertices[new], axis=1)
            distance = np.minimum(distance, gap)
    return np.array(chosen[:count], dtype=np.int32)


def _add_pair(chosen: list[int], vertex: int | None, mirror: np.ndarray) -> None:
    if vertex is not None and vertex not in chosen:
        chosen.extend(dict.fromkeys(int(v) for v in (vertex, mirror[vertex]) if v not in chosen))


def _neighbours_68() -> list[tuple[int, int]]:
    """Neighbouring points of the left half's lines; their mirror images come with them."""
    runs = [range(0, 9), range(17, 22), range(27, 31), range(31, 34), range(48, 52)]
    pairs = [(a, a + 1) for run in runs for a in run[:-1]]
    pairs += [(36, 37), (37, 38), (38, 39), (39, 40), (40, 41), (41, 36)]
    return [*pairs, (48, 59), (59, 58), (58, 57), (48, 60), (60, 61), (61, 62), (66, 67)]


def _contour_line(head: Head, candidates: np.ndarray, jaw: int, count: int) -> np.ndarray:
    origin = head.points[33, :2]
    ray = head.vertices[jaw, :2] - origin
    ray = ray / np.linalg.norm(ray)
    radial = (head.vertices[candidates, :2] - origin) @ ray
    across = (head.vertices[candidates, :2] - origin) @ [-ray[1], ray[0]]
    depth = head.vertices[candidates, 2]
    # A chest lies under the chin at the throat's angle, but far from it.
    near = np.linalg.norm(head.vertices[candidates] - head.vertices[jaw], axis=1) < 0.75 * head.d
    slice_ = (np.abs(across) < 0.08 * head.d) & (radial > 0.2 * head.d) & near
    kept = candidates[slice_]
    plane = np.stack([radial, depth, across], 1)[slice_]
    # Angles about a point inside the head run monotonously from the cheek round to ear or throat.
    at = np.array([(head.vertices[jaw, :2] - origin) @ ray, head.vertices[jaw, 2]])
    centre = np.array([0.35 * at[0], at[1] - 0.1 * head.d])
    own = np.arctan2(at[1] - centre[1], at[0] - centre[0])
    angle = np.arctan2(plane[:, 1] - centre[1], plane[:, 0] - centre[0])
    wanted = own + np.radians(np.linspace(40, -40, count))
    cost = np.abs(angle[None] - wanted[:, None]) * head.d / 2 + 6 * np.abs(plane[:, 2])
    return kept[cost.argmin(1)]


def _face(head: Head) -> np.ndarray:
    """Below the hairline, above the jaw line, in front of the ears."""
    azimuth, y = head.azimuth(head.vertices), head.vertices[:, 1]
    jaw = _jaw_height(head, azimuth)
    limit = 1.2 * np.abs(head.azimuth(head.points[[0, 16]])).mean()  # the strip before the ear
    throat = (head.normals[:, 1] < -0.8) & (y < jaw)  # the underside of the chin faces down
    inside = (np.abs(azimuth) < limit) & (y > jaw - 0.06 * head.d) & ~throat
    return head.skin & ~head.ears & inside & (y < _hairline(head, azimuth))


def _jaw_height(head: Head, azimuth: np.ndarray) -> np.ndarray:
    """Height (V,) mm of the jaw line at an azimuth."""
    jaw = head.points[2:15]  # the upper ends stand straight above these
    angles = head.azimuth(jaw)
    order = np.argsort(angles)
    return np.interp(azimuth, angles[order], jaw[order, 1])


def _hairline(head: Head, azimuth: np.ndarray) -> np.ndarray:
    """Height (V,) mm: 0.62 d above the brows in front, down to the ears at the sides."""
    top = head.points[[19, 24], 1].mean() + 0.62 * head.d
    side = head.points[[0, 16], 1].mean()
    limit = np.abs(head.azimuth(head.points[[0, 16]])).mean()
    share = np.clip(1 - (azimuth / limit) ** 4, 0, 1)
    return side + (top - side) * np.sqrt(share)


def _above_hairline(head: Head) -> np.ndarray:
    """Beyond the hairline and above a nape that falls from the ears to the neck's back."""
    azimuth = np.abs(head.azimuth(head.vertices))
    limit = np.abs(head.azimuth(head.points[[0, 16]])).mean()
    nape = head.points[48, 1] - 0.1 * head.d
    behind = azimuth > limit
    ear = head.points[[0, 16], 1].mean() - 0.12 * head.d
    height = np.where(behind, ear + (nape - ear) * np.clip((azimuth - limit) / 0.6, 0, 1), ear)
    return head.vertices[:, 1] > height


def _inside(head: Head, outline: np.ndarray, margin: float) -> np.ndarray:
    """Vertices (V,) bool within ``margin`` mm of the outline's convex hull seen from the front."""
    hull = cv2.convexHull(outline[:, :2].astype(np.float32))
    inside = [
        cv2.pointPolygonTest(hull, (float(x), float(y)), True) > -margin
        for x, y in head.vertices[:, :2]
    ]
    depth = np.abs(head.vertices[:, 2] - outline[:, 2].mean()) < 0.45 * head.d
    return np.array(inside) & depth


def _near(head: Head, line: np.ndarray, margin: float) -> np.ndarray:
    """Vertices (V,) bool within ``margin`` mm of a polyline (N, 3)."""
    dense = np.concatenate([np.linspace(a, b, 20) for a, b in pairwise(line)])
    return cKDTree(dense).query(head.vertices)[0] < margin
