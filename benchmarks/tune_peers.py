"""Search for the settings of the peers of benchmarks.registration.

    python -m benchmarks.tune_peers --initial depth
    python -m benchmarks.tune_peers --initial landmarks

One setting at a time from a start that runs: the value with the least mean NME of the narrow face
is kept. It is done on the model's coarse level, where a run takes seconds. Every row is
printed. Use other subjects than those reported on.
"""

import argparse
import time
from dataclasses import asdict, dataclass, replace

import numpy as np

from benchmarks.registration_cases import errors, scans
from benchmarks.registration_peers import METHODS, PeerSettings, registered
from faces.models import load_model
from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from registration.ticp import TicpSettings, register
from synth.beyond import fitting_model

START = {
    "depth": PeerSettings((1.0, 0.01), (1.0, 1.0), 1.0, 3, 3, reach_mm=3.0, faces=True),
    "landmarks": PeerSettings((1.0, 0.01), (1.0, 1.0), 1.0, 3, 3, reach_mm=12.0, faces=True),
}
GRID = {
    "stiffness": [(0.3, 0.003), (1.0, 0.01), (10.0, 0.1)],
    "reach_mm": [3.0, 6.0, 12.0, 25.0],
    "landmarks": [(0.3, 0.3), (1.0, 1.0), (3.0, 3.0), (10.0, 10.0)],
    "iterations": [2, 3, 6],
    "faces": [False, True],
}
OWN = {
    "trimesh amberg": {"settled_mm": [0.05, 0.005]},
    "trimesh sumner": {"identity": [0.001, 0.1]},
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
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--initial", choices=[*START], default="depth", help="fit to start from")
    parser.add_argument("--peer", choices=[*METHODS], action="append", help="both where not given")
    options = parser.parse_args()
    model = load_model("default")
    fitting = fitting_model(model)
    seen = scans(model, options.subjects, 1, first=options.first)
    settings = TicpSettings(initial_depth=options.initial == "depth")
    fine = [Case(scan, register(scan, fitting, settings), fitting) for scan in seen]
    coarse = [on_coarse(case) for case in fine]
    print_own("T-ICP and its initial fit, fine", fine)
    print_own("T-ICP and its initial fit, coarse", coarse)
    for name in options.peer or METHODS:
        print(f"\n{name}, coarse: narrow NME %, normal mm, CPU s", flush=True)
        search(name, START[options.initial], coarse, options.rounds)


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


def search(name: str, start: PeerSettings, cases: list[Case], rounds: int) -> None:
    """Print what changing one setting after the other leads to."""
    grid = {**GRID, **OWN[name]}
    best = start
    known = {best: mean_score(name, best, cases)}
    for _ in range(rounds):
        for field, values in grid.items():
            for value in values:
                tried = replace(best, **{field: value})
                if tried not in known:
                    known[tried] = mean_score(name, tried, cases)
            best = min(known, key=known.get)
    print(f"best: {best}", flush=True)


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
