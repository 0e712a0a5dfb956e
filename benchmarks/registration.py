"""Registration of simulated scans against their truth: accuracy, cost, texture, scaling, peers.

    python -m benchmarks.registration --workers 2 --peers trimesh --out registration.md

One run prints all of it, as Markdown; ``--part`` a part of it. Scans are virtual subjects before a
simulated depth camera (synth), registered with a model of fewer modes than they are made of
(synth.beyond.fitting_model), from landmarks with 3 px of noise. "Visible" is what the camera truly
sees. Means over subjects with 95 % confidence intervals (Student's t; ratios by bootstrap). Times
are the process's own on the processor, one thread. The number of workers changes no figure.
"""

import argparse
import multiprocessing
import os
import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks import registration_scaling
from benchmarks.registration_cases import (
    brow_slide_mm,
    by_subject,
    errors,
    face_skin,
    hidden_by_things,
    interval,
    models,
    occlusion,
    oracles,
    ratio_interval,
    scans,
    wrong_matches,
)
from benchmarks.registration_cost import print_cost
from benchmarks.registration_peers import PEERS
from benchmarks.tables import copied_to, print_table
from faces.types import Landmarks
from registration.nonrigid import ENERGIES
from registration.salience import FeatureSettings
from registration.thresholds import PRESETS, MatchSettings
from registration.ticp import TicpSettings, register
from synth.beyond import fitting_model
from synth.sensors.presets import PRESETS as SENSORS

COLUMNS = {
    "narrow_nme": "narrow NME %",
    "face_nme": "face NME %",
    "normal_mm": "normal mm",
    "tangential_mm": "tangential mm",
    "invisible_mm": "invisible mm",
}
THINGS = ("hand", "mask", "scarf", "phone", "hair")
BLIND = MatchSettings(lambda_iod=0.0, tau_c=(1e3, 1e3))  # colour neither pulls nor bars
BASE = TicpSettings()
SCALING_SCANS = 4
# Whatever needs no colour stays: what is before the face by its depth alone is left out here too.
GEOMETRY = replace(
    BASE,
    match=BLIND,
    nonrigid=replace(BASE.nonrigid, features=FeatureSettings(weight=0.0)),
    occluders=replace(BASE.occluders, color=np.inf),
    relief=replace(BASE.relief, tau_c=np.inf),
)
METHODS = {
    "T-ICP": BASE,
    "one pass": replace(BASE, refits=0),
    "geometry only": GEOMETRY,
    **{
        f"energy {name}": replace(BASE, nonrigid=replace(BASE.nonrigid, energy=name))
        for name in ENERGIES
        if name != BASE.nonrigid.energy
    },
}
BLINDED, MUCH = "geometry only", 0.2
# Without a match, as by the literal reading, there is nothing to fit the model to again.
TEXTURED = {
    BLINDED: GEOMETRY,
    **{
        name: replace(BASE, match=match, refits=0 if name == "literal" else BASE.refits)
        for name, match in PRESETS.items()
    },
}
BROWED = (BLINDED, "annealed")
DEVICE = "structured-light"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default", help="as for faces.models.load_model")
    parser.add_argument("--subjects", type=int, default=24)
    parser.add_argument("--frames", type=int, default=3, help="expressions a subject")
    parser.add_argument("--first", type=int, default=0, help="number of the first subject")
    parser.add_argument("--sensor-subjects", type=int, default=8, help="a sensor, one frame each")
    parser.add_argument("--peers", choices=["none", "trimesh"], default="none")
    parser.add_argument("--peer-scans", type=int, default=4, help="scans of part speed")
    parser.add_argument("--peer-vertices", type=int, help="part speed also on such a mesh")
    parser.add_argument(
        "--workers", type=int, default=1, help="processes of parts accuracy, texture"
    )
    parser.add_argument("--part", choices=[*PARTS], action="append", help="all where not given")
    parser.add_argument("--out", type=Path, help="a file for a copy of what is printed")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))  # of the processes started from here
    model = models(options.model)[0]
    with copied_to(options.out):
        print_facts(model)
        for part in options.part or PARTS:
            PARTS[part](model, options)


def print_facts(model) -> None:
    """What the figures hang on besides the code: sizes and versions."""
    fitting = fitting_model(model)
    levels = [level.vertex_count for level in (fitting.coarse, fitting) if level is not None]
    print(f"- vertices: {', '.join(f'{count:,}' for count in levels)}")
    print(f"- modes fitted: {len(fitting.identity_mm)} + {len(fitting.expression_mm)}")
    libraries = ("numpy", "scipy", "numba", "trimesh")
    told = ", ".join(f"{name} {version(name)}" for name in libraries)
    print(f"- Python {platform.python_version()}, {told}")


def print_accuracy(model, options) -> None:
    """Every method on one sensor, then T-ICP on every sensor."""
    numbers = range(options.first, options.first + options.subjects)
    jobs = [(options.model, number, options.frames, DEVICE, tuple(METHODS)) for number in numbers]
    few = range(options.first, options.first + options.sensor_subjects)
    seen = [(options.model, number, 1, device, ("T-ICP",)) for device in SENSORS for number in few]
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        found = pool.starmap(errors_of_subject, [*jobs, *seen], chunksize=1)
    rows = [row for each in found[: len(jobs)] for row in each]
    print(f"\n**Accuracy, {DEVICE}, {options.subjects} subjects × {options.frames} frames**\n")
    print_errors({name: [(key, row[name]) for key, row in rows] for name in rows[0][1]})
    print(f"\n**T-ICP by sensor, {options.sensor_subjects} subjects × 1 frame**\n")
    by_device: dict[str, list] = {device: [] for device in SENSORS}
    for job, each in zip(seen, found[len(jobs) :], strict=True):
        by_device[job[3]] += [(key, row["T-ICP"]) for key, row in each]
    print_errors(by_device)


def errors_of_subject(spec, number, frames, device, names):
    """[(key, {method: errors})] of a subject's scans, the initial fit first, the oracles last."""
    model, fitting = models(spec)
    rows = []
    for scan in scans(model, 1, frames, device=device, first=number):
        faces = {name: register(scan, fitting, METHODS[name]) for name in names}
        first = faces["T-ICP"]
        initial = replace(first, vertices_mm=first.initial.vertices_mm)
        faces = {"initial fit": initial, **faces, **oracles(first, scan, fitting)}
        rows.append((scan.key, {name: errors(face, scan, fitting) for name, face in faces.items()}))
    return rows


def print_errors(tables: dict[str, list[tuple[str, dict]]]) -> None:
    """A row of means with intervals for each named list of (key, errors)."""
    rows = []
    for name, found in tables.items():
        keys = [key for key, _ in found]
        columns = ([row[column] for _, row in found] for column in COLUMNS)
        rows.append((name, *(interval(by_subject(keys, values)) for values in columns)))
    print_table(("", *COLUMNS.values()), rows)


def print_speed(model, options) -> None:
    """CPU seconds, memory and errors of every method, and of the peers where asked for.

    First the peers get T-ICP's initial fit. Then they get the paper's, of landmarks alone, which
    T-ICP begins with too: its own first step, the model's fit to the depth, counts as its work;
    what it makes without that step stands beside it. Last, the cost on a mesh of another size.
    """
    fitting = fitting_model(model)
    cases = list(scans(model, options.peer_scans, 1, first=options.first))
    peers = PEERS if options.peers == "trimesh" else {start: {} for start in PEERS}
    bare = {f"{name}*": replace(job, initial_depth=False) for name, job in METHODS.items()}
    alike = {"T-ICP": BASE, **bare}
    print_cost("from T-ICP's initial fit", fitting, BASE, METHODS, peers["depth"], cases)
    title = "from a fit to landmarks alone (*: no fit to the depth before the matches)"
    print_cost(title, fitting, bare["T-ICP*"], alike, peers["landmarks"], cases)
    if options.peer_vertices:
        level = registration_scaling.mesh_of(fitting, options.peer_vertices)
        own = {"T-ICP": BASE}
        print_cost("from T-ICP's initial fit", level, BASE, own, peers["depth"], cases)


def print_texture(model, options) -> None:
    """Occluded faces, bare faces and brows, with colour and without, by every reading of τ_v."""
    numbers = range(options.first, options.first + options.subjects)
    jobs = [(options.model, number) for number in numbers]
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        found = pool.starmap(textures_of_subject, jobs, chunksize=1)
    bare, covered, brows = (
        [row for each in found for row in each[part]] for part in ("bare", "covered", "brows")
    )
    print(f"\n**Bare faces, {len(bare)} scans**\n")
    print_readings(bare)
    print(f"\n**At least {100 * MUCH:.0f} % hidden, {len(covered)} scans**\n")
    print_readings(covered)
    print(f"\n**Brows without brow landmarks, {len(brows)} scans**\n")
    table = [(name, np.array([row[name] for row in brows])) for name in brows[0]]
    base = table[0][1]
    rows = [(name, interval(row), ratio_interval(row, base)) for name, row in table]
    print_table(("", "mm", "ratio to geometry only"), rows)


def textures_of_subject(spec, number) -> dict[str, list[dict]]:
    """Rows by method: readings of the bare face and of what hides much of it, and the brows."""
    model, fitting = models(spec)
    bare = next(scans(model, 1, 1, first=number))
    worn = (next(scans(model, 1, 1, thing, first=number)) for thing in THINGS)
    covered = [scan for scan in worn if occlusion(scan, fitting) >= MUCH]
    return {
        "bare": [readings(bare, fitting)],
        "covered": [readings(scan, fitting) for scan in covered],
        "brows": [{name: without_brows(bare, fitting, TEXTURED[name]) for name in BROWED}],
    }


def readings(scan, model) -> dict[str, tuple]:
    """``reading`` of every method of TEXTURED."""
    return {name: reading(scan, model, settings) for name, settings in TEXTURED.items()}


def print_readings(found: list[dict[str, tuple]]) -> None:
    """Errors on all, on visible and on covered skin, and matches on what is worn or held."""
    tables = {name: np.array([row[name] for row in found]) for name in TEXTURED}
    base = tables[BLINDED]
    rows = []
    for name, table in tables.items():
        cells = [interval(column[np.isfinite(column)]) for column in table.T]
        ratios = [ratio_interval(table[:, k], base[:, k]) for k in (0, 3) if base[:, k].any()]
        rows.append((name, *cells, *ratios, *["–"] * (2 - len(ratios))))
    columns = ("all mm", "visible mm", "covered mm", "wrong matches")
    print_table(("", *columns, "ratio of all", "ratio of wrong matches"), rows)


def reading(scan, model, settings) -> tuple[float, float, float, float]:
    """Mean errors (mm) of all, visible and covered skin of the face; count of wrong matches."""
    face = register(scan, model, settings)
    gap = np.linalg.norm(face.vertices_mm - scan.truth["vertices_mm"], axis=1)
    skin, hidden = face_skin(model), hidden_by_things(scan, model)
    covered = gap[hidden].mean() if hidden.any() else np.nan
    seen = gap[skin & scan.truth["visible"]].mean()
    return gap[skin].mean(), seen, covered, wrong_matches(face, scan, model, settings)


def without_brows(scan, model, settings) -> float:
    """The brows' error, mm, of a scan whose brow landmarks (17 to 26) are not known."""
    points = scan.landmarks.points_px.copy()
    points[17:27] = np.nan
    marks = Landmarks(points, "ibug68", scan.landmarks.confidence)
    face = register(replace(scan, landmarks=marks), model, settings)
    return brow_slide_mm(face, scan, model)


def print_scaling(model, options) -> None:
    """CPU seconds by vertices of the mesh and by scans, in three passes and in one."""
    cases = list(scans(model, SCALING_SCANS, 1, first=options.first))
    passes = {name: METHODS[name] for name in ("T-ICP", "one pass")}
    registration_scaling.print_scaling(fitting_model(model), cases, passes)


PARTS = {
    "accuracy": print_accuracy,
    "speed": print_speed,
    "texture": print_texture,
    "scaling": print_scaling,
}

if __name__ == "__main__":
    main()
