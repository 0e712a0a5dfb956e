"""Registration of simulated scans against their truth: accuracy, cost, texture, scaling, peers.

    python -m benchmarks.registration --subjects 24 --frames 3 --part accuracy
    python -m benchmarks.registration --part texture
    python -m benchmarks.registration --part speed --peers trimesh --peer-subjects 2
    python -m benchmarks.registration --part scaling

Scans are virtual subjects before a simulated depth camera (synth), registered with a model of
fewer modes than they are made of (synth.beyond.fitting_model), from landmarks with 3 px of noise.
"Visible" is what the camera truly sees. Means over subjects with 95 % confidence intervals
(Student's t; ratios by bootstrap). Times are the process's own on the processor, one thread.
"""

import argparse
import multiprocessing
import resource
import time
from dataclasses import replace

import numpy as np

from benchmarks.registration_cases import (
    brow_slide_mm,
    by_subject,
    errors,
    face_skin,
    hidden_by_things,
    interval,
    occlusion,
    ratio_interval,
    scans,
    wrong_matches,
)
from benchmarks.registration_peers import PEERS, registered
from faces.models import load_model
from faces.refinement import refine
from faces.types import Landmarks
from registration.nonrigid import ENERGIES
from registration.salience import FeatureSettings
from registration.thresholds import PRESETS, MatchSettings
from registration.ticp import TicpSettings, register
from synth.beyond import fitting_model
from synth.sensors.presets import PRESETS as SENSORS

COLUMNS = ("narrow_nme", "face_nme", "normal_mm", "tangential_mm", "invisible_mm")
THINGS = ("hand", "mask", "scarf", "phone", "hair")
BLIND = MatchSettings(lambda_iod=0.0, tau_c=(1e3, 1e3))  # colour neither pulls nor bars
BASE = TicpSettings()
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=24)
    parser.add_argument("--frames", type=int, default=3, help="expressions a subject")
    parser.add_argument("--first", type=int, default=0, help="number of the first subject")
    parser.add_argument("--sensor-subjects", type=int, default=8, help="a sensor, one frame each")
    parser.add_argument("--peers", choices=["none", "trimesh"], default="none")
    parser.add_argument("--peer-subjects", type=int, default=2, help="minutes each")
    parser.add_argument("--part", choices=[*PARTS], action="append", help="all where not given")
    options = parser.parse_args()
    model = load_model("default")
    for part in options.part or PARTS:
        PARTS[part](model, options)


def print_accuracy(model, options) -> None:
    """Every method on one sensor, then T-ICP on every sensor."""
    fitting = fitting_model(model)
    print(f"\nAccuracy, structured light, {options.subjects} subjects × {options.frames} frames")
    cases = scans(model, options.subjects, options.frames, first=options.first)
    rows = [all_methods(scan, fitting) for scan in cases]
    print_header()
    for name in rows[0][1]:
        print_row(name, [key for key, _ in rows], [row[name] for _, row in rows])
    count = options.sensor_subjects
    print(f"\nT-ICP by sensor, {count} subjects × 1 frame")
    print_header()
    for device in SENSORS:
        seen = list(scans(model, count, 1, device=device, first=options.first))
        found = [errors(register(scan, fitting, BASE), scan, fitting) for scan in seen]
        print_row(device, [scan.key for scan in seen], found)


def all_methods(scan, model):
    """(key, {method: errors}) with the initial fit first."""
    faces = {name: register(scan, model, settings) for name, settings in METHODS.items()}
    first = faces["T-ICP"]
    faces = {"initial fit": replace(first, vertices_mm=first.initial.vertices_mm), **faces}
    return scan.key, {name: errors(face, scan, model) for name, face in faces.items()}


def print_header() -> None:
    print(f"{'':16}" + "".join(f"{name:>16}" for name in COLUMNS))


def print_row(name, keys, rows) -> None:
    cells = (interval(by_subject(keys, [row[column] for row in rows])) for column in COLUMNS)
    print(f"{name:16}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def print_speed(model, options) -> None:
    """CPU seconds and peak memory of every method, and the peers' with their errors."""
    fitting = fitting_model(model)
    cases = list(scans(model, options.peer_subjects, 1, first=options.first))
    peers = PEERS if options.peers == "trimesh" else {}
    print(f"\nCost and peers, {len(cases)} scans, {fitting.vertex_count:,} vertices")
    print(f"{'':16}{'CPU s':>10}{'× T-ICP':>9}{'peak MB':>9}{'narrow NME':>12}{'normal mm':>11}")
    unit = None
    for name in [*METHODS, *peers]:
        rows = [in_new_process(name, scan) for scan in cases]
        seconds, peak, nme, normal = np.mean(rows, axis=0)
        unit = unit or seconds
        print(f"{name:16}{seconds:10.2f}{seconds / unit:9.1f}{peak:9.0f}{nme:12.2f}{normal:11.2f}")


def in_new_process(name, scan) -> tuple[float, float, float, float]:
    """CPU s, peak resident MB, narrow NME and normal mm of one method on one scan.

    The memory is a whole process's: the interpreter, the model and the template are in it.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(cost_of, (name, scan))


def cost_of(name, scan) -> tuple[float, float, float, float]:
    """What in_new_process returns, measured in this process; a first run warms it up."""
    model = fitting_model(load_model("default"))
    face = register(scan, model, METHODS.get(name, BASE))
    began = time.process_time()
    if name in PEERS:
        face = replace(face, vertices_mm=registered(PEERS[name], face, scan, model))
    else:
        face = register(scan, model, METHODS[name])
    seconds = time.process_time() - began
    found = errors(face, scan, model)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds, peak, found["narrow_nme"], found["normal_mm"]


def print_texture(model, options) -> None:
    """Occluded faces, bare faces and brows, with colour and without, by every reading of τ_v."""
    fitting = fitting_model(model)
    readings = {name: replace(BASE, match=match) for name, match in PRESETS.items()}
    # Without a match there is nothing to fit the model to again.
    readings["literal"] = replace(readings["literal"], refits=0)
    methods = {"geometry only": GEOMETRY, **readings}
    bare = list(scans(model, options.subjects, 1, first=options.first))
    things = (s for thing in THINGS for s in scans(model, options.subjects, 1, thing))
    covered = [scan for scan in things if occlusion(scan, fitting) >= 0.2]
    for title, cases in (("Bare faces", bare), ("At least 20 % hidden", covered)):
        print(f"\n{title}: {len(cases)} scans; mm, with the ratio to geometry only")
        print_readings(cases, fitting, methods)
    print(f"\nBrows without brow landmarks, {len(bare)} scans; mm")
    rows = {
        name: np.array([without_brows(scan, fitting, methods[name]) for scan in bare])
        for name in ("geometry only", "annealed")
    }
    for name, row in rows.items():
        print(f"{name:16}{interval(row):>16}{ratio_interval(row, rows['geometry only']):>24}")


def print_readings(cases, model, methods) -> None:
    """Errors on all, on visible and on covered skin, and matches on what is worn or held."""
    columns = ("all mm", "visible mm", "covered mm", "wrong matches")
    print(f"{'':16}" + "".join(f"{column:>16}" for column in columns) + f"{'ratio of all':>24}")
    tables = {
        name: np.array([reading(scan, model, settings) for scan in cases])
        for name, settings in methods.items()
    }
    for name, table in tables.items():
        cells = "".join(f"{interval(column[np.isfinite(column)]):>16}" for column in table.T)
        ratio = ratio_interval(table[:, 0], tables["geometry only"][:, 0])
        print(f"{name:16}{cells}{ratio:>24}", flush=True)


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
    """CPU seconds by vertices of the mesh and by scans."""
    fitting = fitting_model(model)
    cases = list(scans(model, 4, 1, first=options.first))
    print(f"\n{'vertices':>9}{'CPU s a scan':>14}{'µs a vertex':>13}")
    for level in (fitting.coarse, fitting, refine(fitting)):
        spent = cpu_seconds(cases, level)
        print(f"{level.vertex_count:9,}{spent:14.2f}{1e6 * spent / level.vertex_count:13.0f}")
    print(f"\n{'scans':>9}{'CPU s':>14}{'a scan':>13}")
    for count in (1, 2, 4, 8):
        spent = count * cpu_seconds((cases * 2)[:count], fitting)
        print(f"{count:9}{spent:14.2f}{spent / count:13.2f}")


def cpu_seconds(cases, model) -> float:
    """Mean CPU seconds of a registration, after one that makes the template."""
    register(cases[0], model, BASE)
    began = time.process_time()
    for scan in cases:
        register(scan, model, BASE)
    return (time.process_time() - began) / len(cases)


PARTS = {
    "accuracy": print_accuracy,
    "speed": print_speed,
    "texture": print_texture,
    "scaling": print_scaling,
}

if __name__ == "__main__":
    main()
