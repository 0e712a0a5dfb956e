"""T̄ and B of Eq. 3 for a model with texture coordinates: the PCA of painted people.

    python tools/build_albedo_basis.py [--people 500] [--modes 30]

rewrites the default model's albedo in place; tools/detail.py calls albedo_basis. The
people are bare: no moles, freckles, make-up, stubble or lines, so that a subject's own texture
lies outside the span of what is fitted to it.
"""

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from faces.mesh import triangle_normals  # noqa: E402
from faces.models import DEFAULT, load_model  # noqa: E402
from faces.morphable import MorphableModel, save_model  # noqa: E402
from faces.refinement import with_detail  # noqa: E402
from faces.uv import UvAtlas  # noqa: E402
from synth.skin.parameters import sample_skin  # noqa: E402
from synth.skin.texture import paint_person  # noqa: E402

log = logging.getLogger("albedo")
SEED, PEOPLE, MODES, SIZE = 20240519, 500, 30, 1024
BLUR = 1.2  # texels, so that a vertex sees what its triangles see and not single hairs
FEATURES = 12.0  # weight of an eyeball's area against skin's: irises are small but seen


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--modes", type=int, default=MODES)
    parser.add_argument("--out", type=Path, default=DEFAULT)
    args = parser.parse_args()
    model = load_model()
    mean, modes = albedo_basis(model, args.people, args.modes)
    save_model(with_detail(model, albedo_mean=mean, albedo_modes=modes), args.out)
    log.info("%s: %.2f MB", args.out, args.out.stat().st_size / 1e6)


def albedo_basis(model: MorphableModel, people: int = PEOPLE, modes: int = MODES):
    """Mean (V, 3) and σ-scaled modes (``modes``, V, 3) float32 sRGB.

    Each person enters with the mirror image, so that the mean is symmetric; a mode's positive
    side is the one that lightens the face.
    """
    samples = bare_albedos(model, people, SEED)
    samples = np.concatenate([samples, samples[:, model.mirror]])
    mean = samples.mean(0)
    centred = (samples - mean).reshape(len(samples), -1)
    weights = np.sqrt(np.repeat(_importance(model), 3)).astype(np.float32)
    weighted = centred * weights
    power, scores = np.linalg.eigh(weighted @ weighted.T)
    order = np.argsort(power)[::-1][:modes]
    share = np.cumsum(power[order]) / power.sum()
    log.info("explained by 5/10/20/%d: %s", modes, np.round(share[[4, 9, 19, -1]], 4))
    # Scores of unit variance turn the regression onto the samples into σ-scaled modes.
    unit = scores[:, order] * np.sqrt(len(samples))
    basis = (unit.T.astype(np.float32) @ centred / len(samples)).reshape(modes, -1, 3)
    basis *= np.where(basis[:, model.regions["face"]].sum((1, 2)) < 0, -1, 1)[:, None, None]
    return mean.astype(np.float32), basis.astype(np.float32)


def bare_albedos(model: MorphableModel, people: int, seed: int) -> np.ndarray:
    """(N, V, 3) float32 sRGB at the vertices of ``people`` bare people."""
    atlas = UvAtlas(model, SIZE)
    result = np.zeros((people, model.vertex_count, 3), dtype=np.float32)
    for index in range(people):
        rng = np.random.default_rng((seed, index))
        skin = sample_skin(rng)
        texture = paint_person(model, replace(skin, **skin.bare()), rng, SIZE)
        result[index] = atlas.sample(cv2.GaussianBlur(texture, (0, 0), BLUR))
    return result


def _importance(model: MorphableModel) -> np.ndarray:
    """(V,) area of each vertex, eyeballs above the rest and the scalp below it."""
    area = np.linalg.norm(triangle_normals(model.mean_mm, model.triangles), axis=1) / 6
    area = np.bincount(model.triangles.ravel(), np.repeat(area, 3), minlength=model.vertex_count)
    area[model.part_vertices("eye") & (model.mean_mm[:, 2] > 60)] *= FEATURES
    return area * np.where(model.regions["scalp"], 0.2, 1.0)


if __name__ == "__main__":
    main()
