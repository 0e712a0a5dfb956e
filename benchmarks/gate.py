"""Does the quality gate catch the registrations that are wrong, and let those pass that are right?

    python -m benchmarks.gate [--captures 500] [--evidence gate.npz]

Virtual people before every sensor, with every occluder, a quarter of the captures broken on
purpose (benchmarks.gate_captures), are registered with the truncated fitting model. A failure is
an NME of the narrow face over 2.5 % of the truth's outer interocular distance, or a ball; what the
registration refuses with an error counts as caught. Printed, each with its 95 % interval:

- the gate as it is frozen (registration.quality), also by what was broken, worn and seen with;
- with the limit of the figure that tells most, refit_mm, taken from one half of the captures such
  that FALSE_SHARE of the good faces fail the gate, told on the other half: what the
  gate is worth on faces that this limit has not seen.

The evidence goes to an .npz file, and comes from there where it exists already.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.gate_captures import make_capture
from faces.errors import BadInput
from faces.metrics import nme
from faces.models import load_model
from faces.morphable import MorphableModel
from faces.types import Scan
from registration.depth import check_depth
from registration.figures import inner_face
from registration.quality import QualitySettings, judge, severity
from registration.ticp import register
from synth.beyond import fitting_model

FAILED_PERCENT = 2.5  # NME of the narrow face
# Of the good faces of captures that were not broken on purpose: a broken one that comes out right
# does so by luck, and a person should see it.
FALSE_SHARE = 0.05
NO_FACE = 99.0  # the NME of what is no face
FEWEST = 10  # of good faces and of failures, to speak of halves
HALVINGS = 50  # random halves, so that the figure does not hang on one


def main() -> None:
    """Collect, or read what was collected, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captures", type=int, default=500)
    parser.add_argument("--evidence", type=Path, default=Path("gate.npz"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if not args.evidence.exists():
        np.savez_compressed(args.evidence, **collect(args.captures, args.seed))
    print_tables(dict(np.load(args.evidence)))


def collect(count: int, seed: int) -> dict[str, np.ndarray]:
    """Of each capture: "figures" (N, F) with their "names" (F,), NaN where refused; "nme" (N,) of
    the narrow face in percent; "sensor", "worn" and "broken" (N,) strings."""
    model = load_model("default")
    fitted, rows, names = fitting_model(model), [], ()
    for index in range(count):
        scan, sensor, worn, broken = make_capture(model, index, seed)
        figures, error = registered(scan, fitted)
        names = names or tuple(figures)
        rows.append((figures, error, sensor, worn, broken))
        print(f"\r{index + 1} of {count}", end="", flush=True)
    print()
    empty = dict.fromkeys(names, np.nan)
    return {
        "names": np.array(names),
        "figures": np.array([list((row[0] or empty).values()) for row in rows]),
        **{
            title: np.array([row[k] for row in rows])
            for k, title in enumerate(("nme", "sensor", "worn", "broken"), 1)
        },
    }


def registered(scan: Scan, fitted: MorphableModel) -> tuple[dict[str, float], float]:
    """(figures, {} where the scan is refused; NME of the narrow face in percent)."""
    try:
        check_depth(scan)
        face = register(scan, fitted)
    except BadInput:
        return {}, NO_FACE
    truth = scan.truth.get("vertices_mm")
    if truth is None:
        return face.quality.figures, NO_FACE
    corners = truth[fitted.landmarks["ibug68"][[36, 45]]]
    region = inner_face(fitted) & fitted.part_vertices("skin")
    iod_mm = float(np.linalg.norm(corners[0] - corners[1]))
    return face.quality.figures, nme(face.vertices_mm, truth, region, iod_mm)


def print_tables(found: dict[str, np.ndarray]) -> None:
    """Everything that main promises, of collect's arrays."""
    names = [str(name) for name in found["names"]]
    failed = found["nme"] > FAILED_PERCENT
    refused = np.isnan(found["figures"]).any(1)
    verdicts = np.array(["refused" if r else _verdict(names, f) for r, f in _pairs(refused, found)])
    flagged = verdicts != "accept"
    print(f"{len(failed)} captures, {failed.sum()} failures, {refused.sum()} refused")
    print("\nthe gate as it is frozen")
    print(f"  failures caught        {interval(flagged[failed])}")
    print(f"  good faces not accepted {interval(flagged[~failed])}")
    print(f"  good faces rejected    {interval(verdicts[~failed] == 'reject')}")
    whole = found["broken"] == ""
    print("  of captures not broken on purpose:")
    print(f"  failures caught        {interval(flagged[failed & whole])}")
    print(f"  good faces not accepted {interval(flagged[~failed & whole])}")
    for title in ("broken", "worn", "sensor"):
        print(f"\n{'by ' + title:<22}{'captures':>9}{'failed':>8}{'caught':>8}{'false':>7}")
        for name in np.unique(found[title]):
            here = found[title] == name
            if title != "broken":
                here &= found["broken"] == ""
            counts = here.sum(), (here & failed).sum(), (here & failed & flagged).sum()
            false = (here & ~failed & flagged).sum()
            print(f"{name or 'none':<22}{counts[0]:>9}{counts[1]:>8}{counts[2]:>8}{false:>7}")
    if min((~failed & whole).sum(), (failed & whole & ~refused).sum()) >= FEWEST:
        _print_halves(names, *(a[~refused] for a in (found["figures"], failed, whole)))


def _pairs(refused, found):
    return zip(refused, found["figures"], strict=True)


def _verdict(names, row):
    return judge(dict(zip(names, row, strict=True)), QualitySettings())[0]


def _print_halves(names, figures, failed, whole):
    """The limit of refit_mm from one half, failures caught and good faces lost on the other."""
    refit = figures[:, names.index("refit_mm")]
    open_ended = replace(QualitySettings(), refit_mm=(np.inf, np.inf))
    others = np.array([severity(dict(zip(names, row, strict=True)), open_ended) for row in figures])
    score = np.where(others > 1, np.inf, refit)
    rng, told = np.random.default_rng(0), []
    for _ in range(HALVINGS):
        learn = rng.permutation(len(failed)) % 2 == 0
        limit = np.quantile(score[learn & ~failed & whole], 1 - FALSE_SHARE, method="lower")
        over, test = score > limit, ~learn
        groups = (failed, failed & whole, ~failed, ~failed & whole)
        told.append([*(over[test & group].mean() for group in groups), limit])
    print(f"\nthe limit of refit_mm from one half, on the other; {HALVINGS} random halvings")
    titles = (
        "failures caught",
        "  of whole captures",
        "good faces not accepted",
        "  of whole captures",
        "limit, mm",
    )
    for title, values in zip(titles, np.array(told).T, strict=True):
        low, high = np.quantile(values, [0.025, 0.975])
        print(f"  {title:<24}{np.mean(values):6.3f} ({low:.3f} to {high:.3f})")


def interval(hits: np.ndarray) -> str:
    """Share of True and its 95 % interval (Wilson, JASA 1927)."""
    n, z = len(hits), 1.96
    if n == 0:
        return "none of 0"
    share = hits.mean()
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return f"{share:6.1%} ({middle - half:.1%} to {middle + half:.1%}) of {n}"


if __name__ == "__main__":
    main()
