"""How well a set's scans are registered: distances to the scan, and landmarks it never saw.

    python -m benchmarks.real_scans out/real out/real-ict

For each face of a set made by ``synth fg3d``: the mean distance from the scan's points over the
narrow face to the registered surface, with the 95th percentile, beside the same for the initial
3DMM fit (the peer that every registration starts from); and, where the scan came with 3D
landmarks, the mean distance of the 51 inner ones to the model's, which registration never reads.
"""

import argparse
from pathlib import Path

import numpy as np

from faces.models import load_model
from faces.morphable import MorphableModel
from faces.surface_distance import scan_to_surface
from faces.types import RegisteredFace, Scan
from imaging.raster import rasterise
from manifests.shard import read_shard
from pipelines.members import face_from_members, scan_from_members
from pipelines.run import read_config

FAR_MM = 15.0  # points farther off along z belong to hair or a hand, and are counted apart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", type=Path, help="folders made by synth fg3d")
    for folder in parser.parse_args().sets:
        model = load_model(read_config(folder)[1].model)
        print(f"\n{folder} with {model.name}: mm")
        print(f"{'scan':28} {'initial':>8} {'T-ICP':>6} {'p95':>6} {'left out':>8} {'inner 51':>8}")
        for scan, face in faces_of(folder, model):
            print(row(scan, face, model))


def faces_of(folder: Path, model: MorphableModel):
    """(scan, registered face) of every registered scan of a set."""
    for shard in sorted((folder / "registered").glob("*.tar")):
        scans = dict(read_shard(folder / "scans" / shard.name))
        for key, members in read_shard(shard):
            yield scan_from_members(key, scans[key]), face_from_members(key, members, model)


def row(scan: Scan, face: RegisteredFace, model: MorphableModel) -> str:
    points, left_out = narrow_face_points(scan, face, model)
    triangles = model.part_triangles("skin")
    before = scan_to_surface(points, face.initial.vertices_mm, triangles)
    after = scan_to_surface(points, face.vertices_mm, triangles)
    marks = "-"
    if "landmarks_mm" in scan.truth:
        inner = scan.truth["landmarks_mm"][17:] - face.vertices_mm[model.landmarks["ibug68"][17:]]
        marks = f"{np.linalg.norm(inner, axis=1).mean():.2f}"
    return (
        f"{scan.key:28} {before.mean():8.2f} {after.mean():6.2f} {np.percentile(after, 95):6.2f} "
        f"{left_out:8.1%} {marks:>8}"
    )


def narrow_face_points(scan: Scan, face: RegisteredFace, model: MorphableModel):
    """Scan points (N, 3) mm in front of the narrow face's skin, and the share left out as far."""
    size = (scan.camera.width, scan.camera.height)
    fragments = rasterise(scan.camera.screen(face.vertices_mm), model.triangles, size)
    skin = model.regions["narrow_face"] & model.part_vertices("skin")
    over = fragments.mask & (scan.depth_mm > 0)
    over &= skin[model.triangles].all(1)[fragments.triangle_id]
    near = over & (np.abs(fragments.depth - scan.depth_mm) < FAR_MM)
    rows, columns = np.nonzero(near)
    pixels = np.stack([columns, rows], 1) + 0.5
    return scan.camera.unproject(pixels, scan.depth_mm[near]), 1 - near.sum() / over.sum()


if __name__ == "__main__":
    main()
