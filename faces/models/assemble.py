"""A MorphableModel from the shapes of another model: what every importer's last step is.

The importer brings shapes in millimetres in the model frame, triangles and 68 landmarks; regions,
weights, contour, mirror and dense landmarks follow by anatomy, as for the default model.
"""

from dataclasses import dataclass

import numpy as np

from faces.errors import BadInput
from faces.mesh import similarity, triangle_normals
from faces.models import anatomy, reference_face
from faces.models.albedo import procedural_albedo
from faces.models.unwrap import unwrap
from faces.morphable import PARTS, MorphableModel

# A face's 68 points against the default model's after a similarity, in parts of the outer
# interocular distance: MakeHuman's and ICT-FaceKit's means differ by 0.05 and single people by 0.1;
# points in another order, or of another topology, by more than 0.3.
UNLIKE = 0.2
TURNED_DEG = 25.0  # another frame is off by 90° or 180°, a mean that looks up or down by less
# Outer eye corners: 77 to 104 mm in people (Farkas 1994, 3 σ about both sexes' means).
IOD_MM = (70.0, 110.0)


@dataclass(frozen=True, slots=True)
class Shapes:
    """What an importer brings. V vertices, T triangles, K, E and B modes.

    Attributes:
        name, licence: as in MorphableModel.
        mean_mm: (V, 3) float, model frame.
        triangles: (T, 3) int, wound the same way all over; which way does not matter.
        identity_mm, expression_mm: (K, V, 3) and (E, V, 3) float.
        expression_names: E names.
        landmarks: (68,) int, vertices of ibug68.
        eyes: (V,) bool, vertices of eyeballs; None where there are none.
        albedo: (V, 3) and (B, V, 3) float sRGB in [0, 1]; None for the procedural basis.
        uv: (U, 2) in [0, 1], v down, and (T, 3) int into it; None for a cylinder's.
    """

    name: str
    licence: str
    mean_mm: np.ndarray
    triangles: np.ndarray
    identity_mm: np.ndarray
    expression_mm: np.ndarray
    expression_names: tuple[str, ...]
    landmarks: np.ndarray
    eyes: np.ndarray | None = None
    albedo: tuple[np.ndarray, np.ndarray] | None = None
    uv: tuple[np.ndarray, np.ndarray] | None = None


def assemble(shapes: Shapes, what: str) -> MorphableModel:
    """The whole model of an importer's shapes.

    Args:
        what: the file, for messages.

    Raises:
        BadInput: arrays are of different vertices or not finite, an index lies outside of them, or
            the landmarks are no upright face in millimetres.
    """
    mean = np.asarray(shapes.mean_mm, dtype=np.float64)
    count = len(mean)
    _check_sizes(what, shapes)
    check_indices(what, "triangles", shapes.triangles, count)
    check_indices(what, "landmarks", shapes.landmarks, count)
    check_face(what, mean[shapes.landmarks])
    triangles, flipped = outward(mean, shapes.triangles)
    eyes = np.zeros(count, dtype=bool) if shapes.eyes is None else shapes.eyes
    part = np.full(len(triangles), PARTS.index("skin"), dtype=np.uint8)
    part[eyes[triangles].all(1)] = PARTS.index("eye")
    uv, triangle_uv = shapes.uv or unwrap(mean, triangles, eyes)
    if flipped and shapes.uv:
        triangle_uv = triangle_uv[:, ::-1]
    return MorphableModel(
        name=shapes.name,
        licence=shapes.licence,
        mean_mm=mean.astype(np.float32),
        triangles=triangles,
        triangle_part=part,
        identity_mm=np.asarray(shapes.identity_mm, dtype=np.float32),
        expression_mm=np.asarray(shapes.expression_mm, dtype=np.float32),
        expression_names=shapes.expression_names,
        uv=np.asarray(uv, dtype=np.float32),
        triangle_uv=np.ascontiguousarray(triangle_uv, dtype=np.int32),
        **_anatomy(mean, triangles, part, eyes, shapes),
    )


def _anatomy(mean, triangles, part, eyes, shapes: Shapes) -> dict:
    """The fields that follow from the 68 landmarks."""
    landmarks = np.asarray(shapes.landmarks, dtype=np.int32)
    head = anatomy.make_head(mean, triangles, ~eyes, landmarks)
    mirror = anatomy.find_mirror(mean)
    opposite = anatomy.find_opposite(mean, ~eyes)
    regions = anatomy.find_regions(head, opposite, triangles)
    albedo = shapes.albedo or procedural_albedo(head, regions, triangles, part)
    dense = anatomy.find_dense(head, regions["face"], opposite, landmarks)
    return {
        "albedo_mean": np.asarray(albedo[0], dtype=np.float32),
        "albedo_modes": np.asarray(albedo[1], dtype=np.float32),
        "regions": regions,
        "weights": anatomy.find_weights(regions, eyes),
        "landmarks": {"ibug68": landmarks, "dense240": dense},
        "contour": anatomy.find_contour(head, opposite, landmarks),
        "mirror": mirror,
    }


def _check_sizes(what: str, shapes: Shapes) -> None:
    """That every array is finite and has the mean's vertices."""
    colours = dict(zip(("albedo mean", "albedo modes"), shapes.albedo or (), strict=False))
    arrays = {
        "mean": shapes.mean_mm,
        "identity modes": shapes.identity_mm,
        "expressions": shapes.expression_mm,
        **colours,
    }
    for name, array in arrays.items():
        if array.shape[-2:] != (len(shapes.mean_mm), 3) or not np.isfinite(array).all():
            finite = "" if np.isfinite(array).all() else ", not all finite"
            raise BadInput(
                what,
                f"{name} of shape {array.shape}{finite}",
                f"finite numbers for {len(shapes.mean_mm)} vertices",
                "the file is damaged, or put together from two: fetch it again",
            )


def check_indices(what: str, name: str, indices: np.ndarray, count: int) -> None:
    """That integer indices lie in [0, count).

    Raises:
        BadInput: one does not.
    """
    if indices.size == 0 or indices.min() < 0 or indices.max() >= count:
        span = f"{indices.min()} to {indices.max()}" if indices.size else "no"
        raise BadInput(
            what,
            f"{span} as vertex numbers of its {name}",
            f"0 to {count - 1}",
            "the file, or the landmark file, belongs to another topology",
        )


def check_face(what: str, points_mm: np.ndarray) -> None:
    """That 68 points (68, 3) are an upright face in millimetres in the model frame.

    Raises:
        BadInput: the points are in another order, unit or frame.
    """
    reference, _ = reference_face()
    scale, rotation, shift = similarity(points_mm, reference)
    moved = scale * points_mm @ rotation.T + shift
    iod = np.linalg.norm(reference[45] - reference[36])
    error = float(np.sqrt(((moved - reference) ** 2).sum(1).mean()) / iod)
    angle = np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
    own = float(np.linalg.norm(points_mm[45] - points_mm[36]))
    got = None
    if not error < UNLIKE:
        got = f"68 landmarks unlike a face's (RMS {error:.2f} of the outer eye corners' distance)"
    elif angle > TURNED_DEG:
        got = f"a face turned by {angle:.0f}°"
    elif not IOD_MM[0] < own < IOD_MM[1]:
        got = f"outer eye corners {own:.4g} mm apart"
    if got is not None:
        raise BadInput(
            what,
            got,
            f"an upright face looking along +z, corners {IOD_MM[0]:.0f} to {IOD_MM[1]:.0f} mm",
            "check that the file is the model's original, and give --landmarks of its topology",
        )


def outward(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, bool]:
    """Triangles (T, 3) int32 wound counter-clockwise seen from outside, and whether they were not.

    A head is nearly convex about its middle: summed over the area, normals point away from it.
    """
    normals = triangle_normals(vertices, triangles)
    away = vertices[triangles].mean(1) - (vertices.min(0) + vertices.max(0)) / 2
    inside_out = bool((normals * away).sum() < 0)
    wound = triangles[:, ::-1] if inside_out else triangles
    return np.ascontiguousarray(wound, dtype=np.int32), inside_out
