"""What the source shows of the head's vertices, and of what it is to be believed."""

from dataclasses import dataclass, replace

import numpy as np

from augment.settings import RotateSettings
from augment.visibility import SourceMaps, judge
from faces.camera import Camera
from faces.morphable import MorphableModel
from faces.texture import sample, smoothstep
from faces.types import RegisteredFace
from faces.visibility import view_directions

FOREIGN_COLOR = 0.25  # an ear or neck farther than this from the fitted colour shows hair or cloth
HAIRY_COLOR = 0.15  # a scalp farther than this from it bears hair, which says nothing about skin
STRETCHED_DEG, FEATHER_DEG = 80.0, 18.0  # a colour may be read at a flatter angle than a texture
# mm behind the model's hairline: the person's own lies elsewhere, so that what is seen between
# them is neither scalp nor skin
HAIRLINE_MM = (5.0, 15.0)


@dataclass(frozen=True, slots=True, eq=False)
class SeenHead:
    """The head's V vertices in the source image.

    Attributes:
        photo: (V, 3) float32 in [0, 1], the image's colours there.
        pixels: (V, 2) float32 px.
        trust: (V,) float32 in [0, 1], 0 too where something else than the region's own shows.
        skin: (V,) float32, the trust in the colour as one of skin.
        scalp: (V,) float32, the same as one of the scalp or the hair on it.
    """

    photo: np.ndarray
    pixels: np.ndarray
    trust: np.ndarray
    skin: np.ndarray
    scalp: np.ndarray


def see_head(
    color: np.ndarray,
    face: RegisteredFace,
    hull: np.ndarray,
    normals: np.ndarray,
    model: MorphableModel,
    depth: np.ndarray,
    maps: SourceMaps,
    settings: RotateSettings,
) -> SeenHead:
    """Look the vertices up.

    Args:
        color: (H, W, 3) float32 in [0, 1].
        face: its camera and fitted colours.
        hull: (V, 3) mm, the head in the camera frame; normals: (V, 3) unit.
        model: names the regions.
        depth: (V,) mm behind the hairline (augment.donor.scalp_depth).
        maps: what each source pixel is good for.
        settings: of the rotation.
    """
    facing = facing_of(hull, normals, face.camera)[:, None]
    column = hull[:, None].astype(np.float32)
    every = np.ones(facing.shape, dtype=bool)
    front = np.ones_like(facing)  # any view that looks straight at the vertex
    flat = replace(settings.visibility, stretched_deg=STRETCHED_DEG, feather_deg=FEATHER_DEG)
    judged, pixels = judge(column, facing, front, every, every, maps, face.camera, flat)
    photo = sample(color, pixels[:, 0])
    apart = np.abs(photo - face.appearance.colors).max(1)
    scalp = region(model, "scalp")
    bare = region(model, "ears") | region(model, "neck")
    trust = np.where(bare & (apart > FOREIGN_COLOR), 0, judged.weight[:, 0])
    low, high = HAIRLINE_MM
    behind = smoothstep((depth - low) / (high - low))
    return SeenHead(
        photo=photo,
        pixels=pixels[:, 0],
        trust=trust,
        skin=np.where(scalp & (apart > HAIRY_COLOR), 0, trust),
        scalp=np.where(scalp, trust * behind, 0),
    )


def wears_hair(seen: SeenHead, fitted: np.ndarray, model: MorphableModel) -> bool:
    """Whether the scalp as seen is another than the fitted one, which knows shaved heads only.

    ``fitted`` (V, 3) are the colours C of Eq. 4.
    """
    shown = region(model, "scalp") & (seen.trust > 0.5)
    apart = np.abs(seen.photo - fitted).max(1)[shown]
    return bool(len(apart)) and float(np.median(apart)) > HAIRY_COLOR


def region(model: MorphableModel, name: str) -> np.ndarray:
    """(V,) bool: the model's region; nothing where the model does not name it."""
    return model.regions.get(name, np.zeros(model.vertex_count, dtype=bool))


def facing_of(points_mm: np.ndarray, normals: np.ndarray, camera: Camera) -> np.ndarray:
    """(N,) cosine between the normals (N, 3) and the directions to the camera."""
    return (normals * view_directions(points_mm, camera)).sum(1)
