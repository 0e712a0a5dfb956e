"""Hair of the head: shells of strands over the scalp, thinning outwards, and a curtain behind."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy.spatial import cKDTree

from faces.mesh import vertex_normals
from faces.models.albedo import hair_height
from faces.models.anatomy import Head, make_head
from faces.models.fields import smooth
from faces.morphable import MorphableModel
from synth.scene import Piece

TURNS = 1.1  # the chart goes around the head and a little farther, so that no triangle is torn
TEXTURE = (192, 1024)  # rows from the whorl outwards, columns around
TILT_DEG = 25.0  # the whorl lies behind the top
GROWTH_MM = 16.0  # behind the hairline hair reaches its full height within this
EDGE_MM = 9.0  # width of the hairline, where strands thin out
LAYERS = ((0.35, 0.12), (0.7, 0.45), (1.0, 0.62))  # (share of the height, share without strands)
GLOSS, SHININESS = 0.05, 16.0
# sRGB of hair from black to blond, red and grey, by eye, and how often
COLORS = np.array(
    [
        [0.075, 0.06, 0.055],
        [0.15, 0.10, 0.075],
        [0.25, 0.165, 0.11],
        [0.38, 0.26, 0.17],
        [0.62, 0.48, 0.31],
        [0.42, 0.2, 0.1],
        [0.55, 0.53, 0.51],
    ]
)
SHARES = np.array([0.3, 0.24, 0.18, 0.1, 0.07, 0.04, 0.07])


@dataclass(frozen=True, slots=True)
class Style:
    """How hair is worn.

    Attributes:
        height_mm: (least, most) it stands off the scalp.
        fringe_mm: (least, most) that it falls over the forehead below the hairline.
        swept: largest number of turns that strands lean sideways on their way.
        curtain_mm: (least, most) that it hangs down behind; 0 for none.
        weight: (of women, of men) how often.
    """

    height_mm: tuple[float, float]
    fringe_mm: tuple[float, float] = (0.0, 0.0)
    swept: float = 0.1
    curtain_mm: tuple[float, float] = (0.0, 0.0)
    weight: tuple[float, float] = (1.0, 1.0)


STYLES = {
    "buzz": Style((1.5, 3.5), swept=0.02, weight=(0.1, 1.5)),
    "short": Style((6.0, 13.0), weight=(0.7, 3.0)),
    "fringed": Style((9.0, 16.0), (10.0, 26.0), 0.25, weight=(1.0, 1.5)),
    "back": Style((6.0, 11.0), swept=0.03, weight=(2.0, 1.0)),
    "long": Style((9.0, 17.0), (0.0, 8.0), 0.15, (120.0, 240.0), (3.5, 0.3)),
    "bob": Style((11.0, 19.0), (0.0, 24.0), 0.15, (70.0, 110.0), (2.0, 0.2)),
    "bald": Style((0.0, 0.0), weight=(0.02, 0.6)),
}


def draw_style(rng: np.random.Generator, male: bool, age_years: float) -> str:
    """A name of STYLES, as people of the sex and age wear hair."""
    weights = np.array([style.weight[int(male)] for style in STYLES.values()])
    weights[list(STYLES).index("bald")] *= np.clip(age_years / 45, 0.1, 2)
    return list(STYLES)[rng.choice(len(STYLES), p=weights / weights.sum())]


def make_hair(
    model: MorphableModel,
    shape_mm: np.ndarray,
    rng: np.random.Generator,
    style: str,
    color: np.ndarray | None = None,
) -> list[Piece]:
    """Hair in the model frame, inner layer first; none where the person is bald.

    Args:
        model: gives scalp and landmarks.
        shape_mm: (V, 3) mm, the person.
        rng: draws colour and strands.
        style: a name of STYLES.
        color: (3,) sRGB; None to draw one.
    """
    tone = COLORS[rng.choice(len(COLORS), p=SHARES)] * rng.uniform(0.85, 1.15)
    worn, tone = STYLES[style], tone if color is None else np.asarray(color)
    if worn.height_mm[1] == 0:
        return []
    scalp = _scalp(model)
    height, fringe = rng.uniform(*worn.height_mm), rng.uniform(*worn.fringe_mm)
    lean = rng.uniform(-worn.swept, worn.swept)
    strands, albedo = _strands(tone, lean, rng)
    margin = scalp.margin + fringe * scalp.front  # mm inside the edge of the hair
    ragged = cv2.resize(rng.normal(0, 1, (1, 120)), TEXTURE[::-1]) * (1.5 + 0.2 * fringe)
    inside = (margin_texture(scalp, fringe) + ragged) / EDGE_MM
    thin = 4 * np.clip(0.75 - inside, 0, None) ** 1.5  # strands grow sparse towards the edge
    normals = vertex_normals(shape_mm, model.triangles)[scalp.vertices]
    lift = smooth(margin / GROWTH_MM) * (1 + 0.12 * _waves(scalp, rng))
    pieces = []
    for share, gaps in LAYERS:
        off = np.where(margin > -4, height * share * lift + 0.4, -2.0)
        points = shape_mm[scalp.vertices] + normals * off[:, None]
        alpha = smooth(0.5 + (strands - _quantile(gaps) - thin) / 0.6).astype(np.float32)
        pieces.append(_piece(points, scalp.triangles, albedo, scalp.uv, scalp.triangle_uv, alpha))
    hang = rng.uniform(*worn.curtain_mm)
    if hang > 0:
        pieces += _curtains(scalp, shape_mm, height, hang, strands, albedo)
    return pieces


@dataclass(frozen=True, slots=True, eq=False)
class _Scalp:
    """Where hair may be: vertices (v,) of the model, their triangles and chart, and distances."""

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    triangle_uv: np.ndarray
    margin: np.ndarray  # (v,) mm inside the hairline
    front: np.ndarray  # (v,) 0 to 1: above the forehead
    texture: np.ndarray  # (2, rows, columns): margin and front over the chart
    centre: np.ndarray
    head: Head


class _Held:
    """A model as a cache's key: by identity, since its arrays have no hash."""

    def __init__(self, model: MorphableModel):
        self.model = model

    def __hash__(self) -> int:
        return id(self.model)

    def __eq__(self, other) -> bool:
        return self.model is other.model


def _scalp(model: MorphableModel) -> _Scalp:
    return _scalp_of(_Held(model))


@lru_cache(maxsize=4)
def _scalp_of(held: _Held) -> _Scalp:
    model = held.model
    skin = model.part_vertices("skin")
    head = make_head(
        model.mean_mm, model.triangles, skin, model.landmarks["ibug68"], model.regions["ears"]
    )
    margin = hair_height(head)
    azimuth = np.abs(head.azimuth(head.vertices))
    front = smooth(1.6 - azimuth / 0.55)
    near = skin & (margin > -40) & ~model.regions["ears"]
    used = near[model.triangles].all(1)
    vertices, local = np.unique(model.triangles[used], return_inverse=True)
    triangles = local.reshape(-1, 3).astype(np.int32)
    centre = head.vertices[vertices[margin[vertices] > 0]].mean(0) * [0, 1, 1]
    uv = _chart(head.vertices[vertices] - centre)
    corners = uv[triangles]
    torn = np.ptp(corners[..., 0], axis=1) > 0.5 / TURNS
    corners[..., 0] += np.where(torn[:, None] & (corners[..., 0] < 0.5 / TURNS), 1 / TURNS, 0)
    triangle_uv = np.arange(corners.shape[0] * 3, dtype=np.int32).reshape(-1, 3)
    rows, columns = np.meshgrid(*(np.linspace(0, 1, n) for n in TEXTURE), indexing="ij")
    place = np.stack([(columns * TURNS) % 1 / TURNS, rows], -1)
    ring = np.sin(np.clip(uv[:, 1], 0.05, 1) * np.pi * 0.9)
    angle = uv[:, 0] * TURNS * 2 * np.pi
    ball = np.stack([ring * np.cos(angle), ring * np.sin(angle), 2 * uv[:, 1]], 1)
    angle = place[..., 0] * TURNS * 2 * np.pi
    ring = np.sin(np.clip(place[..., 1], 0.05, 1) * np.pi * 0.9)
    asked = np.stack([ring * np.cos(angle), ring * np.sin(angle), 2 * place[..., 1]], -1)
    nearest = cKDTree(ball).query(asked.reshape(-1, 3), k=4)[1]
    texture = np.stack([f[vertices][nearest].mean(1).reshape(TEXTURE) for f in (margin, front)])
    return _Scalp(
        vertices,
        triangles,
        corners.reshape(-1, 2).astype(np.float32),
        triangle_uv,
        margin[vertices],
        front[vertices],
        texture,
        centre,
        head,
    )


def margin_texture(scalp: _Scalp, fringe: float) -> np.ndarray:
    """(rows, columns) mm inside the edge of the hair, over the chart."""
    return scalp.texture[0] + fringe * scalp.texture[1]


def _chart(arms: np.ndarray) -> np.ndarray:
    """(v, 2): turn about the whorl's axis and distance from it, both in [0, 1]."""
    tilt = np.radians(TILT_DEG)
    up = np.array([0, np.cos(tilt), -np.sin(tilt)])
    ahead = np.array([0, np.sin(tilt), np.cos(tilt)])
    way = arms / np.linalg.norm(arms, axis=1, keepdims=True)
    turn = np.arctan2(way[:, 0], way @ ahead) / (2 * np.pi) + 0.5  # 0.5 is ahead
    return np.stack([turn / TURNS, np.arccos(np.clip(way @ up, -1, 1)) / np.pi], 1)


def _strands(tone, lean, rng) -> tuple[np.ndarray, np.ndarray]:
    """Strands (rows, columns), unit variance, and their colours (rows, columns, 3)."""
    rows, columns = TEXTURE
    field = np.zeros(TEXTURE, dtype=np.float32)
    for count, length, weight in ((1000, 5, 0.8), (420, 4, 0.5), (90, 3, 0.35)):
        noise = rng.normal(size=(length, count)).astype(np.float32)
        noise[:, -int(count * (1 - 1 / TURNS)) :] = noise[:, : int(count * (1 - 1 / TURNS))]
        field += weight * cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_LINEAR)
    v, u = np.mgrid[:rows, :columns].astype(np.float32)
    bend = lean * columns * (v / rows) ** 1.5 + 4 * np.sin(v / rows * 9 + rng.uniform(0, 6))
    field = cv2.remap(field, u + bend, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    field /= field.std()
    shade = np.exp(0.22 * np.clip(field, -2.5, 2.5))[..., None]
    return field, np.clip(tone * shade, 0.01, 0.95).astype(np.float32)


def _waves(scalp: _Scalp, rng) -> np.ndarray:
    """Uneven volume (v,) of unit variance, some centimetres long."""
    at = scalp.head.vertices[scalp.vertices] / 25.0
    ways = rng.normal(size=(6, 3))
    return np.cos(at @ ways.T + rng.uniform(0, 6, 6)).sum(1) / np.sqrt(3)


def _quantile(share: float) -> float:
    """The value below which this share of a normal distribution lies (Tukey's lambda fit)."""
    return (share**0.135 - (1 - share) ** 0.135) / 0.1975


def _curtains(scalp, shape_mm, height, hang, strands, albedo) -> list[Piece]:
    """Hair that hangs beside and behind the neck, from the temples around the back."""
    head = scalp.head
    inside = scalp.margin > -5
    own = shape_mm[scalp.vertices[inside]]
    azimuth = head.azimuth(own)
    top = head.points[[0, 16], 1].mean() + 0.25 * head.d
    band = np.abs(own[:, 1] - top) < 0.3 * head.d
    axis = np.array([0, head.points[[0, 16], 2].mean() - 0.1 * head.d])
    reach = np.hypot(own[band, 0], own[band, 2] - axis[1])
    columns, rows = 60, 14
    turn = np.linspace(1.45, 2 * np.pi - 1.45, columns)
    around = cKDTree(np.stack([np.cos(azimuth[band]), np.sin(azimuth[band])], 1))
    near = around.query(np.stack([np.cos(turn), np.sin(turn)], 1), k=6)[1]
    radius = reach[near].mean(1) + 0.9 * height
    radius = cv2.GaussianBlur(radius[None], (0, 0), 2, borderType=cv2.BORDER_REPLICATE)[0]
    down = np.linspace(0, 1, rows)[:, None]
    wide = radius[None] * (1 + 0.06 * np.sin(down * 3) - 0.1 * down**2)
    y = np.broadcast_to(top + 8 - down * (hang + 20), wide.shape)
    points = np.stack([wide * np.sin(turn), y, axis[1] + wide * np.cos(turn)], -1)
    u, v = np.broadcast_arrays(turn[None] / (2 * np.pi), 0.35 + 0.6 * down)
    uv = np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)
    a = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    triangles = np.concatenate(
        [np.stack([a, a + columns, a + 1], 1), np.stack([a + 1, a + columns, a + columns + 1], 1)]
    ).astype(np.int32)
    tips = np.linspace(0, 1, TEXTURE[0])[:, None]
    side = np.minimum(np.linspace(0, 1, TEXTURE[1]) * 2 * np.pi, 7)
    side = np.minimum(side - 1.45, 2 * np.pi - 1.45 - side)[None]
    pieces = []
    for inset, gaps in ((6.0, 0.05), (2.0, 0.35), (-2.5, 0.6)):
        thin = _quantile(gaps) + 4 * smooth((tips - 0.7) / 0.25) + 3 * smooth(1 - side / 0.15)
        alpha = smooth(0.5 + (strands - thin) / 0.5).astype(np.float32)
        shrunk = points.copy()
        shrunk[..., [0, 2]] = (points[..., [0, 2]] - [0, axis[1]]) * (
            1 - inset / wide[..., None]
        ) + [0, axis[1]]
        pieces.append(_piece(shrunk.reshape(-1, 3), triangles, albedo, uv, triangles, alpha))
    return pieces


def _piece(points, triangles, albedo, uv, triangle_uv, alpha) -> Piece:
    gloss = np.full(len(points), GLOSS, dtype=np.float32)
    return Piece(
        "hair", points, triangles, albedo, uv, triangle_uv, alpha, gloss, SHININESS, two_sided=True
    )
