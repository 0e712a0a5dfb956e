"""A registration's errors against a simulated subject's truth, gathered over a set."""

from collections.abc import Sequence

import numpy as np

from faces.metrics import nme
from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from registration.quality import against_truth

# What the table shows of registration.quality.against_truth: name -> heading
COLUMNS = {
    "initial_percent": "initial NME %",
    "nme_percent": "NME %",
    "visible_mm": "visible mm",
    "invisible_mm": "invisible mm",
    "normal_mm": "normal mm",
    "tangential_mm": "tangential mm",
    "visible_percent": "visible % of d",
}
# Where on the face: regions of the model, and the jaw, all that is lower than the lower lip
PLACES = ("brows", "nose", "eyes", "mouth", "cheeks", "jaw")
LOWER_LIP = 57  # ibug68


def truth_errors(
    scan: Scan, face: RegisteredFace, model: MorphableModel
) -> dict[str, float] | None:
    """Errors of one face; None where the scan has no truth in the model's topology.

    As registration.quality.against_truth, in mm and in % of the outer interocular distance; but
    "nme_percent" and "initial_percent", of the registered and the initial face, are
    faces.metrics.nme, after rigid alignment.
    """
    truth = scan.truth.get("vertices_mm")
    if truth is None or truth.shape != face.vertices_mm.shape:
        return None
    region = model.regions["face"] & model.part_vertices("skin")
    corners = truth[model.landmarks["ibug68"][[36, 45]]]
    iod_mm = float(np.linalg.norm(corners[0] - corners[1]))
    return against_truth(face, truth, model) | {
        "nme_percent": nme(face.vertices_mm, truth, region, iod_mm),
        "initial_percent": nme(face.initial.vertices_mm, truth, region, iod_mm),
    }


def vertex_errors_mm(scan: Scan, face: RegisteredFace) -> np.ndarray | None:
    """(V,) float64, each vertex's distance from where it truly is, without alignment; None where
    the scan has no truth in the model's topology."""
    truth = scan.truth.get("vertices_mm")
    if truth is None or truth.shape != face.vertices_mm.shape:
        return None
    return np.linalg.norm(face.vertices_mm - truth, axis=1)


def place_masks(model: MorphableModel) -> dict[str, np.ndarray]:
    """(V,) bool of each of PLACES that the model has, disjoint; the skin alone, hidden or seen."""
    skin = model.part_vertices("skin")
    masks = {name: model.regions[name] & skin for name in PLACES if name in model.regions}
    low = model.mean_mm[:, 1] < model.mean_mm[model.landmarks["ibug68"][LOWER_LIP], 1]
    masks["jaw"] = model.regions["face"] & skin & low & ~masks.get("mouth", ~skin)
    if "cheeks" in masks:
        masks["cheeks"] &= ~masks["jaw"]
    return {name: mask for name, mask in masks.items() if mask.any()}


def place_errors(error_mm: np.ndarray, model: MorphableModel) -> dict[str, float]:
    """Mean of the errors (V,) mm in each of PLACES that the model has."""
    return {name: float(error_mm[mask].mean()) for name, mask in place_masks(model).items()}


def mean_errors(errors: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each figure of COLUMNS over the faces."""
    return {name: float(np.mean([one[name] for one in errors])) for name in COLUMNS}


def truth_lines(errors: Sequence[dict[str, float]]) -> list[str]:
    """The table for a terminal: mean and the worst face's; nothing without faces."""
    if not errors:
        return []
    mean = mean_errors(errors)
    worst = {name: max(one[name] for one in errors) for name in COLUMNS}
    head = "  ".join(f"{title:>14}" for title in COLUMNS.values())
    rows = [
        f"  {label:<8}" + "  ".join(f"{values[name]:>14.2f}" for name in COLUMNS)
        for label, values in (("mean", mean), ("worst", worst))
    ]
    count = f"{len(errors)} face{'' if len(errors) == 1 else 's'}"
    return [f"error against truth, {count}:", f"  {'':<8}{head}", *rows]
