"""The head's topology: MakeHuman's skin above the neck, with eyes, teeth and tongue."""

import numpy as np
import scipy.sparse as sp
from head_cut import (
    EYE_GROUPS,
    LIPS_START,
    MOUTH_START,
    NECK_START,
    edge_loop,
    eyeball,
    flood,
    split_quads,
)
from makehuman import MakeHuman

from faces.models import anatomy
from faces.morphable import PARTS

EXTRAS = (
    *("helper-l-eye", "helper-r-eye", "helper-upper-teeth", "helper-lower-teeth"),
    "helper-tongue",
)
PART_OF = {"upper-teeth": "teeth", "lower-teeth": "teeth", "tongue": "tongue"}
# Base-mesh vertices of ibug68 on the mid-line and the subject's left; the rest are their mirrors.
LEFT_68 = {
    **{8: 5225, 9: 11831, 10: 11901, 11: 7617, 12: 11849, 13: 7614, 14: 11712},
    **{15: 12360, 16: 12366, 22: 6983, 23: 6980, 24: 6979, 25: 6981, 26: 6987, 27: 132},
    **{28: 135, 29: 164, 30: 294, 33: 343, 34: 7120, 35: 7119, 42: 11487, 43: 11483},
    **{44: 11467, 45: 6805, 46: 6825, 47: 6831, 51: 455, 52: 7210, 53: 11956},
    **{54: 10403, 55: 7166, 56: 7235, 57: 492, 62: 474, 63: 7227, 64: 7176, 65: 7236, 66: 493},
}


class Topology:
    """Which of MakeHuman's vertices make the head, and how.

    Attributes:
        operator: (V, base vertices) CSR, base mesh positions to the head's.
        triangles (T, 3), part (T,) uint8, skin (V,) bool, mirror (V,), landmarks (68,) int32.
        rim, lips: vertex loops of the neck's edge, and where the lips meet.
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
        for name, own_quads, own_uv in _extras(quads, quad_uv, groups):
            if name in EYE_GROUPS:
                rows, faces, disc = eyeball(vertices, own_quads)
                code, chart = PARTS.index("eye"), (disc / 2 * [1, -1] + 0.5, faces)
            else:
                rows, faces = _carried(vertices, own_quads)
                code, chart = _code(name), _chart(uv, own_uv)
            blocks.append(rows)
            parts.append(faces + count)
            codes.append(np.full(len(faces), code, dtype=np.uint8))
            self.islands[name] = chart
            count += rows.shape[0]
        self.operator = sp.vstack(blocks).tocsr()
        self.triangles, self.part = np.concatenate(parts), np.concatenate(codes)
        self.count = count
        self.skin = self.vertices_of("skin")
        self.mirror = anatomy.find_mirror(self.operator @ vertices)
        self.mirror[: len(kept)] = place[data.mirror[kept]]
        self.landmarks = self._landmarks(place)
        self.rim = place[rim]
        self.lips = place[edge_loop(body, *LIPS_START)]

    def _skin_codes(self, body, skin_quads, data):
        """Part (2Q,) of the skin's triangles: the mouth behind the lips, the eyes' sockets."""
        wall = edge_loop(body, *MOUTH_START)
        beside = np.setdiff1d(body[np.isin(body, wall).any(1)], wall)
        mouth = min((flood(body, seed, wall) for seed in beside), key=len)
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


def _carried(vertices, quads):
    """Operator rows and triangles of a part that MakeHuman's own vertices make."""
    own = np.unique(quads)
    return _rows(own, len(vertices)), np.searchsorted(own, _fan(quads))


def _chart(uv, quads):
    """MakeHuman's own texture coordinates of a part, stretched over [0, 1]² with v down."""
    own = np.unique(quads)
    flat = (uv[own] - uv[own].min(0)) / np.ptp(uv[own], axis=0)
    return flat * [1, -1] + [0, 1], np.searchsorted(own, _fan(quads))


def _code(name: str) -> int:
    return PARTS.index(PART_OF[name.removeprefix("helper-")])


def _extras(quads, quad_uv, groups):
    """(island name, quads, quad_uv) of eyes, teeth and tongue."""
    for name in EXTRAS:
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
