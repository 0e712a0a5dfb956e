"""What is drawn on the default model at its fine level: landmarks, regions, contour, albedo."""

import numpy as np
from build_albedo_basis import albedo_basis

from faces.models import anatomy
from faces.morphable import MorphableModel
from faces.refinement import with_detail

# Fine vertices of ibug68 where the base mesh has none at the right place: the subject's left.
FINE_68 = {
    **{10: 17327, 11: 15424, 24: 13224, 25: 2435, 26: 13384, 28: 6269, 33: 312, 34: 13600},
    **{35: 13530, 47: 12656, 51: 7480, 52: 2651, 53: 13913, 56: 14159, 65: 14167},
}


def draw_detail(model: MorphableModel, landmarks: np.ndarray) -> MorphableModel:
    """The refined model with all its features; ``landmarks`` (68,) on the base mesh."""
    points = landmarks.copy()
    for index, vertex in FINE_68.items():
        points[index], points[anatomy.MIRROR_68[index]] = vertex, model.mirror[vertex]
    skin = model.part_vertices("skin")
    head = anatomy.make_head(model.mean_mm, model.triangles, skin, points)
    regions = anatomy.find_regions(head, model.mirror, model.triangles)
    drawn = with_detail(
        model,
        regions=regions,
        weights=anatomy.find_weights(regions, model.part_vertices("eye")),
        landmarks={
            "ibug68": points,
            "dense240": anatomy.find_dense(head, regions["face"], model.mirror, points),
        },
        contour=anatomy.find_contour(head, model.mirror, points),
    )
    mean, modes = albedo_basis(drawn)
    return with_detail(drawn, albedo_mean=mean, albedo_modes=modes)
