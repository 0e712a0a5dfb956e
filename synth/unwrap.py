"""A registered face's texture: the photo where it shows the skin, its mirror image, the model.

Poisson editing (Pérez, Gangnet and Blake 2003) joins them: to the donor, here the mirrored photo
or the model's albedo, a membrane is added that equals what the photo has beside it. A membrane is
smooth, so it is solved for on the head's vertices, where the chart has no seams, and carried to the
texels.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from faces.appearance import view_directions
from faces.hair import with_hair
from faces.mesh import vertex_normals
from faces.mirror import mirrored_vertices
from faces.morphable import MorphableModel
from faces.scan_person import DRAWN_PARTS, scan_person
from faces.texture import WHISPER, carry
from faces.types import Appearance, RegisteredFace, Scan
from faces.uv import UvAtlas
from synth.photo_sight import PERSON, SKIN, PhotoOfHead, Sight, model_groups
from synth.settings import RenderSettings

SHADE_LEAST = 0.35  # of the light's full strength: darker skin lies in a shadow, not in albedo
INNER_SHADE = {"mouth_socket": 0.3, "gums": 0.6, "tongue": 0.6, "teeth": 0.8}
HAIRY, FOREIGN = 0.15, 0.18  # from the fitted colour: a scalp with hair, a hidden ear or neck
ABOVE_BROWS_MM = 8.0
MATTE, GLOSS = 0.3, 1.2  # the quantile of hair that does not shine, and the most above it
FLANK = 0.6  # cosine below which a face is a flank
MIRRORED = 0.1  # trust in a mirrored vertex, of a seen one's, where the model is corrected
MIRROR_MAX = 0.9  # brows, freckles and partings are not symmetric where both sides are half seen
SEEN = 0.05  # trust from which a vertex holds a membrane


def unwrap(
    scan: Scan,
    face: RegisteredFace,
    model: MorphableModel,
    settings: RenderSettings,
    person: np.ndarray | None = None,
) -> np.ndarray:
    """The texture (S, S, 3) float32 sRGB in [0, 1] on the model's uv, S = settings.texture_px.

    De-lit by the fitted light (Beyond 3DMM Space, Eq. 4), so that it may be lit anew; where
    ``settings.light`` is "kept" it is as the photo shows it. Beyond the chart's islands it is 0.

    Args:
        scan: the image.
        face: registered to it.
        model: with texture coordinates.
        settings: light and texture_px are read.
        person: (H, W) float32 of faces.scan_person; found where None.
    """
    person = scan_person(scan, face, model) if person is None else person
    photo = PhotoOfHead.of(scan, face, model, person)
    normals = vertex_normals(face.vertices_mm, model.triangles)
    light = None if settings.light == "kept" else face.appearance
    donor, shift, believed = _on_vertices(photo, face, model, normals, light)
    atlas = atlas_of(model, settings.texture_px)
    partner, paired = mirrored_vertices(model)
    group = np.rint(atlas.gather @ model_groups(model).astype(np.float32)).astype(np.int64)
    texels = _Texels(atlas.gather, group, photo, face, normals, light)
    own, own_trust = texels.seen(slice(None), believed)
    other, other_trust = texels.seen(partner, believed * paired[:, None])
    other_trust = MIRROR_MAX * other_trust[:, None]
    behind = other_trust * (other + atlas.gather @ shift) + (1 - other_trust) * (
        atlas.gather @ donor
    )
    color = own_trust[:, None] * own + (1 - own_trust[:, None]) * behind
    texture = np.zeros((atlas.size, atlas.size, 3), dtype=np.float32)
    texture[atlas.mask] = np.clip(color, 0, 1)
    return texture


@lru_cache(maxsize=2)
def atlas_of(model: MorphableModel, size: int) -> UvAtlas:
    """The model's chart at a size; kept for the next call."""
    return UvAtlas(model, size)


def without_light(
    colors: np.ndarray, normals: np.ndarray, view: np.ndarray, light: Appearance | None
) -> np.ndarray:
    """Albedo (N, 3) float32 of colours under Eq. 4: the highlight off, the shading divided out.

    Args:
        colors: (N, 3) sRGB, as Eq. 4 takes it.
        normals: (N, 3) unit; view: (N, 3) unit, towards the camera.
        light: None leaves the colours as they are.
    """
    if light is None:
        return colors
    incidence = normals @ light.light
    mirrored = 2 * incidence[:, None] * normals - light.light
    lobe = np.clip((mirrored * view).sum(1), 0, None) ** light.shininess
    lobe = np.where(incidence > 0, lobe, 0)[:, None]
    shade = light.ambient + light.directional * np.clip(incidence, 0, None)[:, None]
    shade = np.maximum(shade, SHADE_LEAST * (light.ambient + light.directional))
    matte = colors - light.specular * light.directional * lobe
    return np.clip(matte / np.maximum(shade, 1e-3), 0, 1).astype(np.float32)


def hair_without_light(colors: np.ndarray, light: Appearance | None) -> np.ndarray:
    """Albedo (..., 3) float32 of hair's colours, sRGB: hair is no Phong surface, and shines where
    Eq. 4 has it in the shade. So the light's full strength is divided out, wherever it lies."""
    if light is None:
        return colors
    full = np.maximum(light.ambient + light.directional, 1e-3)
    return np.clip(colors / full, 0, 1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Texels:
    """The chart's N texels: gather (N, V) from vertices, group (N,) of model_groups; and what they
    are looked up with."""

    gather: sp.csr_matrix
    group: np.ndarray
    photo: PhotoOfHead
    face: RegisteredFace
    normals: np.ndarray
    light: Appearance | None

    def seen(self, at, believed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The photo without its light (N, 3), and trust (N,), of texels where vertices ``at`` of
        their triangles lie; ``believed`` (V, 2) as of _believed."""
        points = (self.gather @ self.face.vertices_mm[at]).astype(np.float64)
        ways = (self.gather @ self.normals[at]).astype(np.float64)
        ways /= np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-9)
        sight = self.photo.look(points, ways, self.group)
        skin, hair = (self.gather @ believed[at]).T
        view = view_directions(points, self.photo.camera)
        trust = np.maximum(sight.trust * skin, sight.bare * hair)
        smooth = without_light(sight.photo, ways, view, self.light)
        grown = (hair * (1 - skin))[:, None]
        return grown * hair_without_light(sight.photo, self.light) + (1 - grown) * smooth, trust


def _on_vertices(photo: PhotoOfHead, face, model, normals, light):
    """What fills the texture where no photo shows it: (V, 3) the corrected albedo, (V, 3) what is
    to be added to the mirrored photo, and (V, 2) how far the photo is believed, if it shows skin
    and whatever it shows."""
    sight = photo.look(face.vertices_mm, normals, model_groups(model))
    view = view_directions(face.vertices_mm, photo.camera)
    albedo = without_light(sight.photo, normals, view, light)
    base = _base(face, model, light)
    believed = _believed(sight, (normals * view).sum(1), face, model)
    trust = sight.trust * believed[:, 0]
    partner, paired = mirrored_vertices(model)
    other = np.where(paired, trust[partner], 0)
    # what the mirrored photo lacks, told where both halves are seen
    both = np.minimum(trust, other)
    shift = carry(albedo - albedo[partner], both, np.zeros_like(albedo), WHISPER, model.triangles)
    mirrored = albedo[partner] + shift
    borrowed = MIRRORED * np.where(trust > SEEN, 0, other)
    wanted = np.where((trust > SEEN)[:, None], albedo, mirrored) - base
    held = np.maximum(np.where(trust > SEEN, trust, 0), borrowed)
    donor = base + carry(wanted, held, np.zeros_like(base), WHISPER, model.triangles)
    return _haired(np.clip(donor, 0, 1), photo, face, model, light), shift, believed


def _base(face: RegisteredFace, model: MorphableModel, light) -> np.ndarray:
    """(V, 3) the fitted colours, lit or not; darker where no light of Eq. 4's gets in."""
    colors = face.appearance.colors if light is None else face.appearance.albedo
    colors = np.array(colors, dtype=np.float64)
    for part, share in INNER_SHADE.items():
        colors[model.part_vertices(part)] *= share
    return colors


def _believed(sight: Sight, facing: np.ndarray, face: RegisteredFace, model: MorphableModel):
    """(V, 2) float32, factors on what the photo shows: as skin, and as whatever grows on it.

    ``facing`` (V,) is the cosine to the camera. Flanks, ears and necks show wall, collars and
    hair where the fit is wide, foreheads show locks too thin for an occluder; there the fitted
    colour decides, and two edges around it.
    """
    apart = np.abs(sight.photo - face.appearance.colors).max(1)
    nowhere = np.zeros(model.vertex_count, dtype=bool)
    scalp = model.regions.get("scalp", nowhere)
    beside = model.regions.get("ears", nowhere) | model.regions.get("neck", nowhere)
    beside |= ((facing < FLANK) & (model_groups(model) == SKIN)) | _forehead(model)
    foreign = (beside & (apart > FOREIGN)) | (scalp & (apart > HAIRY))
    for _ in range(2):
        foreign[model.triangles[foreign[model.triangles].any(1)]] = True
    skin = ~foreign & ~model.part_vertices("lashes")
    return np.stack([skin, scalp], 1).astype(np.float32)


def _haired(donor, photo: PhotoOfHead, face, model, light):
    """The donor (V, 3) with hair on the scalp where the photo shows some."""
    image = hair_without_light(_without_gloss(photo, model), light)
    triangles = model.part_triangles(*DRAWN_PARTS)
    bald = donor.astype(np.float32)
    haired = with_hair(bald, image, photo.own, face.vertices_mm, model, triangles, photo.camera)
    return np.where(_throat(model)[:, None], bald, haired.colors)


def _without_gloss(photo: PhotoOfHead, model: MorphableModel) -> np.ndarray:
    """The photo (H, W, 3), hair no brighter than what is usual of it: hair shines, and from above
    most, where a camera sees the least of it."""
    shown = photo.shown_scalp(model) & (photo.own > PERSON[0])
    if not shown.any():
        return photo.color
    light = photo.color.mean(2)
    limit = GLOSS * np.quantile(light[shown], MATTE)
    gain = np.where(shown, np.minimum(1, limit / np.maximum(light, 1e-3)), 1)
    return (photo.color * gain[..., None]).astype(np.float32)


@lru_cache(maxsize=4)
def _throat(model: MorphableModel) -> np.ndarray:
    """(V,) bool: the neck before the ears and below the chin, where hair hangs and none grows."""
    if "neck" not in model.regions or "ears" not in model.regions:
        return np.zeros(model.vertex_count, dtype=bool)
    chin = model.mean_mm[model.landmarks["ibug68"][8], 1]
    before = model.mean_mm[:, 2] > model.mean_mm[model.regions["ears"], 2].mean()
    return model.regions["neck"] & (before | (model.mean_mm[:, 1] < chin))


@lru_cache(maxsize=4)
def _forehead(model: MorphableModel) -> np.ndarray:
    """(V,) bool: the face's skin above the brows, where whatever is dark is a lock of hair."""
    brows = model.mean_mm[model.landmarks["ibug68"][17:27], 1]
    above = model.mean_mm[:, 1] > brows.max() + ABOVE_BROWS_MM
    return above & model.regions.get("face", above) & model.part_vertices("skin")
