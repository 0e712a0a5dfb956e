"""How clothes are cut and sewn: panels, collars and hoods laid on a body."""

import cv2
import numpy as np

from synth.clothes.body import CHART_MM, Body, chart, closed_rows, open_rows
from synth.clothes.cloth import COLUMNS, ROWS, STEP_MM, Fabric, weave
from synth.props.tubes import merged, tube
from synth.scene import Piece

SIDES = 92  # columns of a panel
_EVEN = np.linspace(-np.pi, np.pi, SIDES, endpoint=False)
AROUND = _EVEN - 0.4 * np.sin(_EVEN)  # angles, closer before the throat
DOWN_MM = np.array([6.0, 13, 21, 30, 41, 54, 70, 90, 114, 142, 178, 225, 290])  # of its rows
LOWEST_MM = 300.0
# of a collar: share of its width, share of its stand, distance off the skin beyond its fold's
LEAF = np.column_stack(
    [
        [0, 0, 0, 0, 0.08, 0.3, 0.6, 0.9, 1.0, 0.97],
        [1.0, 0.5, 0.12, 0, 0, 0, 0, 0, 0, 0],
        [-3.5, -2.5, -1.6, 0, 1.6, 2.6, 2.8, 2.8, 2.4, -0.6],
    ]
)
LEAF_SEAM = 7  # of its rows
HOOD = np.column_stack(  # a hood's profile: along the body and off it, mm
    [
        [14, -6, -20, -30, -30, -18, 2, 24, 44, 56, 58],
        [3.0, 5, 9, 17, 27, 37, 42, 38, 26, 12, 3],
    ]
)
BUTTON_MM = 5.2


class Garment:
    """What is cut from one fabric; each method lays another part of it on the body."""

    def __init__(self, body: Body, fabric: Fabric, rng: np.random.Generator):
        """Nothing yet; ``rng`` draws folds and wrinkles."""
        self.body, self.fabric, self.rng = body, fabric, rng
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []
        self._seams = np.zeros((ROWS, COLUMNS), dtype=np.uint8)
        self._buttons: list[float] = []
        self._placket_mm: tuple[float, float] | None = None

    def piece(self) -> Piece:
        """All of it as one piece of "clothes" in the camera frame."""
        points, triangles = merged(self._parts)
        albedo, relief = weave(self.fabric, self._seams, self.rng)
        if self._placket_mm is not None:
            self._button(albedo, relief)
        gloss = np.full(len(points), self.fabric.gloss, dtype=np.float32)
        return Piece(
            "clothes",
            self.body.placed(points),
            triangles,
            albedo,
            chart(points),
            triangles,
            gloss=gloss,
            two_sided=True,
            relief=relief,
        )

    def pullover(
        self,
        neckline_mm: np.ndarray,
        hem: np.ndarray,
        loose_mm: float,
        fold_mm: float,
        ribbed: bool = False,
        seamed: bool = True,
    ) -> None:
        """A closed panel from its neckline down.

        Args:
            neckline_mm: (SIDES,) reach of the edge at AROUND.
            hem: (K, 2) mm, the edge's profile: along the body from the neckline, and off it.
            loose_mm: distance from the skin.
            fold_mm: depth of the folds.
            ribbed: whether its hem is knitted in ribs.
            seamed: whether the hem's seam is to be seen, and no collar hides it.
        """
        along = np.concatenate([hem[:, 0], hem[-1, 0] + DOWN_MM])
        off = np.concatenate([hem[:, 1], np.full(len(DOWN_MM), loose_mm)])
        reach = np.minimum(neckline_mm[None] + along[:, None], LOWEST_MM + 0.01 * along[:, None])
        folds = self._folds(along - hem[-1, 0]) * fold_mm
        points = self.body.at(AROUND[None], reach, off[:, None] + folds)
        self._add(points, closed_rows)
        ahead = np.abs(AROUND) < 2.2
        edge, seam = (points[row, ahead] for row in (np.argmax(hem[:, 1]), len(hem) - 1))
        if ribbed:
            self._rib(edge, seam)
        if seamed:
            self._sew(seam)

    def open_front(self, half_gap_mm, top_mm: float, loose_mm: float, fold_mm: float) -> None:
        """A panel that is open before the chest.

        Args:
            half_gap_mm: from reaches (R,) to the distances (R,) of its edges from the middle.
            top_mm: reach of its upper edge, which a collar covers.
            loose_mm, fold_mm: as for pullover.
        """
        reach = np.concatenate([[top_mm], top_mm + DOWN_MM, [LOWEST_MM]])
        edge = self.body.angle_at(half_gap_mm(reach), reach)[:, None]
        share = np.concatenate([[0.0], np.linspace(0, 1, SIDES), [1.0]])
        even = edge + share * (2 * np.pi - 2 * edge)
        angle = even + 0.3 * np.sin(even) * np.sin(np.pi * share) ** 2  # closer at the edges
        thick = np.concatenate([[-0.6 * loose_mm], np.zeros(SIDES), [-0.6 * loose_mm]])
        calm = np.clip(np.sin(np.pi * share) * 6, 0, 1)
        folds = self._folds(reach - top_mm)[:, _nearest(share)] * calm * fold_mm
        points = self.body.at(angle, reach[:, None], loose_mm + thick + folds)
        self._add(points, open_rows)
        self._sew(points[:, 2], points[:, -3])

    def leaf(
        self,
        angle: np.ndarray,
        fold_mm: np.ndarray,
        width_mm: np.ndarray,
        lean: np.ndarray,
        stand_mm: float,
        off_mm: float,
    ) -> None:
        """A collar that stands up on the neck and falls over outwards.

        Args:
            angle: (S,) rad, from one of its ends around to the other.
            fold_mm: (S,) reach of its fold.
            width_mm: (S,) from the fold to its free edge.
            lean: (S,) rad by which the free edge is turned on: points that spread.
            stand_mm: from the fold down to its seam.
            off_mm: of the fold from the skin.
        """
        out, down, off = LEAF.T[:, :, None]
        reach = self.body.further(angle, fold_mm, out * width_mm + down * stand_mm)
        points = self.body.at(angle + out * lean, reach, off_mm + off)
        self._add(points, open_rows)
        self._sew(points[LEAF_SEAM])

    def lapels(self, half_gap_mm, off_mm: float) -> None:
        """A jacket's folded edges, widest below their notches, from the collar to the button."""
        reach = np.array([14.0, 22, 32, 36, 40, 60, 85, 115, 150, 185, 215])
        width = np.interp(reach, [14, 32, 36, 42, 60, 215], [34, 40, 40, 74, 76, 6.0])
        share = np.array([0.0, 0.04, 0.25, 0.5, 0.75, 0.97, 1.0, 0.98])
        off = np.array([-2.0, 0.5, 3.2, 3.4, 3.0, 2.2, 1.2, -1.5])
        x = half_gap_mm(reach)[:, None] + share * width[:, None]
        angle = self.body.angle_at(x, reach[:, None])
        for side in (-1, 1):
            points = self.body.at(side * angle, reach[:, None], off_mm + off[None])
            self._add(points[:, ::side], open_rows)

    def hood(self) -> None:
        """A hood that lies behind the neck, its edges meeting before the throat."""
        behind = (0.5 - 0.5 * np.cos(AROUND)) ** 1.2  # 1 behind, 0 before
        size = self.rng.uniform(0.85, 1.15) * (0.24 + 0.76 * behind)
        along, off = HOOD.T[..., None]
        sag = 26 * (1 - behind)  # the edges cross lower before the throat
        folds = 1 + 0.1 * self._folds(np.linspace(30, 100, len(HOOD)))
        points = self.body.at(AROUND[None], along * size + sag, off * size * folds)
        self._add(points, closed_rows)

    def sleeves(self) -> None:
        """The seams of sleeves that are set in at the shoulders."""
        shoulder = 0.43 * float(np.ptp(self.body.points_mm[-1, :, 0]))
        y = np.linspace(-60, 300, 40)
        x = shoulder - 22 * np.sin(np.pi * np.clip((y - 10) / 190, 0, 1))
        (left, _), (top, _) = CHART_MM
        rows = (y - top) / STEP_MM
        self._draw([np.column_stack([(s * x - left) / STEP_MM, rows]) for s in (-1, 1)], 255)

    def placket(self, open_mm: float, low_mm: float) -> None:
        """A strip with buttons before the chest from y = ``open_mm`` to ``low_mm``."""
        self._placket_mm = (open_mm, low_mm)
        self._buttons = list(np.arange(open_mm + 8, low_mm, 75 if low_mm > 150 else 42))

    def _button(self, albedo, relief) -> None:
        dye = self.fabric.dye
        rows = slice(*(_row(y) for y in self._placket_mm))
        relief[rows, _column(-16) : _column(16)] += 1.0
        albedo[rows, [_column(-13), _column(13)]] *= 0.86
        tone = 0.5 * dye if self.rng.random() < 0.4 else np.clip(0.4 * dye + 0.5, 0, 0.92)
        for y in self._buttons:
            at, radius = (_column(0), _row(y)), round(BUTTON_MM / STEP_MM)
            cv2.circle(albedo, at, radius, (0.6 * dye).tolist(), -1)
            cv2.circle(albedo, at, radius - 1, tone.tolist(), -1)
            cv2.circle(relief, at, radius, float(relief[at[1], at[0]] + 1.4), -1)

    def _add(self, points, rows) -> None:
        self._parts.append((points.reshape(-1, 3), rows(*points.shape[:2])))

    def _sew(self, *lines: np.ndarray) -> None:
        self._draw([_texels(line) for line in lines], 255)

    def _rib(self, edge: np.ndarray, seam: np.ndarray) -> None:
        edge, seam = _texels(edge), _texels(seam)
        at, own = np.linspace(0, len(edge) - 1, 220), np.arange(len(edge))
        ends = [
            np.column_stack([np.interp(at, own, line[:, k]) for k in (0, 1)])
            for line in (edge, seam)
        ]
        self._draw(list(np.stack(ends, axis=1)), 90)

    def _draw(self, lines: list[np.ndarray], strength: int) -> None:
        """Lines (K, 2) of texels, to a sixteenth of one."""
        fixed = [np.rint(16 * line).astype(np.int32)[:, None] for line in lines]
        cv2.polylines(self._seams, fixed, False, strength, 1, cv2.LINE_AA, shift=4)

    def _folds(self, along_mm: np.ndarray) -> np.ndarray:
        """(K, SIDES) about 1: folds that fall from the shoulders, none at the hem."""
        own = self.rng.normal(size=(4, 14)).astype(np.float32)
        lattice = np.pad(own, ((0, 0), (2, 2)), mode="wrap")
        field = cv2.resize(lattice, (180, 64), interpolation=cv2.INTER_CUBIC)
        rows = np.clip(along_mm / LOWEST_MM * 63, 0, 63).astype(int)
        columns = ((AROUND / (2 * np.pi) + 0.5) % 1 * 140 + 20).astype(int)
        ramp = np.clip((along_mm - 8) / 70, 0, 1)[:, None]
        return ramp * np.clip(0.4 + 0.6 * field[rows[:, None], columns[None]], -0.1, 1.6)


def cords(body: Body, lines: list, radius_mm: float, tone: np.ndarray, gloss: float) -> Piece:
    """Strings or chains on the chest, one piece of "clothes".

    Args:
        body: what they lie on.
        lines: of each, angle (K,) rad, reach (K,) and distance (K,) from the skin in mm.
        radius_mm: of all.
        tone: (3,) sRGB.
        gloss: factor on the light's specular term.
    """
    points, triangles = merged(tube(body.placed(body.at(*line)), radius_mm, 6) for line in lines)
    albedo = np.broadcast_to(tone, points.shape).astype(np.float32)
    shine = np.full(len(points), gloss, dtype=np.float32)
    return Piece("clothes", points, triangles, albedo, gloss=shine, shininess=40.0)


def _texels(points: np.ndarray) -> np.ndarray:
    return chart(points) * [COLUMNS, ROWS] - 0.5


def _column(x_mm: float) -> int:
    return round((x_mm - CHART_MM[0][0]) / STEP_MM)


def _row(y_mm: float) -> int:
    return round((y_mm - CHART_MM[1][0]) / STEP_MM)


def _nearest(share) -> np.ndarray:
    """Columns of AROUND that shares of a turn, begun before the throat, are nearest to."""
    return (SIDES // 2 + np.rint(share * SIDES).astype(int)) % SIDES
