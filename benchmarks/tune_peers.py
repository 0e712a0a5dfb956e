"""Search for the settings of the peers of benchmarks.registration.

    python -m benchmarks.tune_peers --first 200 --subjects 3

One setting at a time, twice over, from a start that runs: the value with the least mean NME of the
narrow face is kept. On the model's coarse level, where a run takes seconds, and at last around the
best one on the fine level. Every row is printed. Use other subjects than those reported on.
"""

import argparse
import time
from dataclasses import asdict, dataclass, replace

import numpy as np

from benchmarks.registration_cases import errors, scans
from benchmarks.registration_peers import PEERS, PeerSettings, registered
from faces.models import load_model
from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from registration.ticp import register
from synth.beyond import fitting_model

START = {
    "trimesh amberg": PeerSettings((1.0, 0.01), (1.0, 1.0), 1.0, 3, 3, reach_mm=3.0, faces=True),
    "trimesh sumner": PeerSettings((10.0, 1.0), (1.0, 1.0), 1.0, 3, 3, reach_mm=3.0, faces=True),
}
STIFFNESS = {
    "trimesh amberg": [(1.0, 0.003), (1.0, 0.01), (1.0, 0.03), (0.3, 0.01), (10.0, 0.1)],
    "trimesh sumner": [(10.0, 0.3), (10.0, 1.0), (10.0, 3.0), (100.0, 1.0), (100.0, 10.0)],
}
OWN = {
    "trimesh amberg": {"settled_mm": [0.05, 0.005, 0.0005]},
    "trimesh sumner": {"identity": [0.001, 0.01, 0.1]},
}
GRID = {
    "landmarks": [(0.3, 0.03), (1.0, 0.1), (1.0, 1.0), (3.0, 3.0), (10.0, 10.0)],
    "iterations": [2, 3, 6],
    "reach_mm": [2.0, 3.0, 5.0, 10.0],
    "normals": [0.0, 1.0, 4.0],
    "faces": [False, True],
    "rims": [False, True],
    "stages": [3, 5],
}


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A scan with T-ICP's result, on one level of the model."""

    scan: Scan
    face: RegisteredFace
    model: MorphableModel

    def score(self, vertices_mm: np.ndarray) -> tuple[float, float]:
        """(narrow NME %, normal mm) of vertices (V, 3)."""
        found = errors(replace(self.face, vertices_mm=vertices_mm), self.scan, self.model)
        return found["narrow_nme"], found["normal_mm"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=200, help="number of the first subject")
    parser.add_argument("--subjects", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--peer", choices=[*PEERS], action="append", help="both where not given")
    options = parser.parse_args()
    model = load_model("default")
    fitting = fitting_model(model)
    seen = scans(model, options.subjects, 1, first=options.first)
    fine = [Case(scan, register(scan, fitting), fitting) for scan in seen]
    coarse = [on_coarse(case) for case in fine]
    print_own("T-ICP and its initial fit, fine", fine)
    print_own("T-ICP and its initial fit, coarse", coarse)
    for name in options.peer or PEERS:
        print(f"\n{name}, coarse: narrow NME %, normal mm, CPU s", flush=True)
        best = search(name, coarse, options.rounds)
        print(f"\n{name}, fine, by stiffness: narrow NME %, normal mm, CPU s", flush=True)
        for factor in (0.5, 1.0, 2.0):
            first, last = best.stiffness
            mean_score(name, replace(best, stiffness=(first * factor, last * factor)), fine)


def on_coarse(case: Case) -> Case:
    """The case on the coarse level, whose vertices are the first of the fine one's."""
    model = case.model.coarse
    count = model.vertex_count
    truth = {key: case.scan.truth[key][:count] for key in ("vertices_mm", "visible")}
    initial = replace(case.face.initial, vertices_mm=case.face.initial.vertices_mm[:count])
    face = replace(case.face, vertices_mm=case.face.vertices_mm[:count], initial=initial)
    return Case(replace(case.scan, truth={**case.scan.truth, **truth}), face, model)


def print_own(title: str, cases: list[Case]) -> None:
    """What the peers are given, and what T-ICP made of it."""
    for name in ("initial fit", "T-ICP"):
        faces = [case.face if name == "T-ICP" else case.face.initial for case in cases]
        rows = [case.score(face.vertices_mm) for case, face in zip(cases, faces, strict=True)]
        nme, normal = np.mean(rows, axis=0)
        print(f"{title}: {name} {nme:.3f} {normal:.2f}", flush=True)


def search(name: str, cases: list[Case], rounds: int) -> PeerSettings:
    """The best settings that changing one after the other leads to."""
    grid = {**OWN[name], "stiffness": STIFFNESS[name], **GRID}
    best = START[name]
    known = {best: mean_score(name, best, cases)}
    for _ in range(rounds):
        for field, values in grid.items():
            for value in values:
                tried = replace(best, **{field: value})
                if tried not in known:
                    known[tried] = mean_score(name, tried, cases)
            best = min(known, key=known.get)
    print(f"best: {best}")
    return best


def mean_score(name: str, settings: PeerSettings, cases: list[Case]) -> float:
    """Mean narrow NME, %; a row with the settings is printed."""
    began = time.process_time()
    rows = []
    for case in cases:
        found = registered(name, case.face.initial.vertices_mm, case.scan, case.model, settings)
        rows.append(case.score(found))
    seconds = (time.process_time() - began) / len(cases)
    nme, normal = np.mean(rows, axis=0)
    told = ", ".join(f"{key} {value}" for key, value in asdict(settings).items())
    print(f"{nme:.3f} {normal:.2f} {seconds:6.1f}  {told}", flush=True)
    return nme


if __name__ == "__main__":
    main()
