"""Does the quality gate catch the registrations that are wrong, and let those pass that are right?

    python -m benchmarks.gate [--captures 500] [--seed 0] [--workers 2] [--evidence gate.npz]
                              [--fit train.npz ...]

Virtual people before every sensor, with every occluder, a quarter of the captures broken on
purpose (benchmarks.gate_captures), are registered with the truncated fitting model. A failure is
an NME of the narrow face over 2.5 % of the truth's outer interocular distance, or a ball; what the
registration refuses with an error counts as caught.

A gate with three verdicts can be read in two ways, and both are printed, with 95 % intervals:
caught is what is not accepted, and false is a good face that is not accepted; or only what is
rejected counts. The figures to be met (90 % caught, 5 % false) are meant in the first way, the
harder for the false ones. Beside them what the predictor could do with the best cut on these
captures, and how much of both kinds lies so near to 2.5 % that no gate could tell.

The evidence goes to an .npz file, and comes from there where it exists already. ``--fit`` first
fits the predictor anew to the evidence of other captures (another --seed: other people), and
writes it to registration/gate.json; it takes seconds. With the evidence itself in its list, the
tables tell how well the predictor remembers; the cross-validated line tells what it can do.
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.gate_captures import make_capture
from benchmarks.gate_fit import cross_validated_odds, curve, fit_predictor, log_odds
from faces.errors import BadInput
from faces.metrics import nme
from faces.models import load_model
from faces.morphable import MorphableModel
from faces.types import Scan
from registration.depth import check_depth
from registration.figures import inner_face
from registration.predictor import Predictor, shipped_predictor, write_predictor
from registration.quality import QualitySettings, judge
from registration.ticp import register
from synth.beyond import fitting_model

FAILED_PERCENT = 2.5  # NME of the narrow face
NEAR_PERCENT = 0.2  # of NME: what lies nearer to the limit falls to either side by chance
NO_FACE = 99.0  # the NME of what is no face
TITLES = ("nme", "sensor", "worn", "broken")


def main() -> None:
    """Collect, or read what was collected; fit where asked; print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captures", type=int, default=500)
    parser.add_argument("--evidence", type=Path, default=Path("gate.npz"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--fit", type=Path, nargs="+", metavar="NPZ", help="evidence to fit to")
    args = parser.parse_args()
    if not args.evidence.exists():
        found = collect(args.captures, args.seed, args.workers)
        np.savez_compressed(args.evidence, **found)
    predictor = shipped_predictor()
    if args.fit:
        predictor = fitted(args.fit)
        write_predictor(predictor)
    print_tables(dict(np.load(args.evidence)), QualitySettings(predictor))


def collect(count: int, seed: int, workers: int = 1) -> dict[str, np.ndarray]:
    """Of each capture: "figures" (N, F) with their "names" (F,), NaN where refused; "nme" (N,) of
    the narrow face in percent; "sensor", "worn" and "broken" (N,) strings."""
    rows = []
    for row in _rows(count, seed, workers):
        rows.append(row)
        print(f"\r{len(rows)} of {count}", end="", flush=True)
    print()
    names = next((tuple(row[0]) for row in rows if row[0]), ())
    empty = dict.fromkeys(names, np.nan)
    return {
        "names": np.array(names),
        "figures": np.array([[(row[0] or empty)[name] for name in names] for row in rows]),
        **{title: np.array([row[k] for row in rows]) for k, title in enumerate(TITLES, 1)},
    }


def _rows(count: int, seed: int, workers: int) -> Iterator[tuple]:
    """One capture's row after the other, in the order of the captures for any number of workers."""
    if workers <= 1:
        yield from map(_row, range(count), [seed] * count)
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # a worker's own threads would stand in the others' way
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(_row, range(count), [seed] * count)


def _row(index: int, seed: int) -> tuple:
    model, fitted = _models()
    scan, sensor, worn, broken = make_capture(model, index, seed)
    return *registered(scan, fitted), sensor, worn, broken


@lru_cache(maxsize=1)
def _models() -> tuple[MorphableModel, MorphableModel]:
    model = load_model("default")
    return model, fitting_model(model)


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


def fitted(paths: list[Path]) -> Predictor:
    """The predictor of all these files' captures; prints what it does on faces not learnt from."""
    names, figures, failed, whole = [], [], [], []
    for path in paths:
        found = dict(np.load(path))
        kept = ~np.isnan(found["figures"]).any(1)
        names = names or [str(name) for name in found["names"]]
        if names != [str(name) for name in found["names"]]:
            raise BadInput(f"evidence '{path}'", "other figures", "those of the first", "collect")
        figures.append(found["figures"][kept])
        failed.append(found["nme"][kept] > FAILED_PERCENT)
        whole.append(found["broken"][kept] == "")
    figures, failed, whole = (np.concatenate(parts) for parts in (figures, failed, whole))
    predictor = fit_predictor(names, figures, failed)
    odds = cross_validated_odds(names, figures, failed)
    print(f"fitted to {predictor.source}; review from a chance of {predictor.review:.2f}")
    for term in predictor.terms:
        print(f"  {term.figure:<20} usually {term.usual:<8.3g} weight {term.weight:.2f}")
    _print_curve("cross-validated, all", odds, failed)
    _print_curve("cross-validated, not broken", odds[whole], failed[whole])
    return predictor


def _print_curve(title, odds, failed, refused=0):
    if failed.any() and not failed.all():
        caught, false = curve(odds, failed, refused)
        print(f"  {title}: {caught:.1%} caught at 5 % false, {false:.1%} false at 90 % caught")


def print_tables(found: dict[str, np.ndarray], settings: QualitySettings) -> None:
    """Everything that main promises, of collect's arrays."""
    names = [str(name) for name in found["names"]]
    failed, whole = found["nme"] > FAILED_PERCENT, found["broken"] == ""
    refused = np.isnan(found["figures"]).any(1)
    verdicts = np.full(len(failed), "refused")
    rows = [dict(zip(names, row, strict=True)) for row in found["figures"][~refused]]
    verdicts[~refused] = [judge(row, settings)[0] for row in rows]
    print(f"{len(failed)} captures, {failed.sum()} failures, {refused.sum()} refused")
    odds = log_odds(settings.predictor, names, found["figures"])
    for title, chosen in (("all captures", whole | ~whole), ("not broken on purpose", whole)):
        print(f"\n{title}")
        _print_rates(verdicts[chosen], failed[chosen])
        told = chosen & ~refused
        lost = (chosen & refused & failed).sum()
        _print_curve("the best cut on these", odds[told], failed[told], lost)
        near = np.abs(found["nme"] - FAILED_PERCENT) < NEAR_PERCENT
        bad, good = near[chosen & failed].mean(), near[chosen & ~failed].mean()
        print(f"  within {NEAR_PERCENT} % of the limit: {bad:.1%} of failures, {good:.1%} of good")
    flagged = verdicts != "accept"
    for title in ("broken", "worn", "sensor"):
        _print_groups(title, found[title], failed, flagged, whole | (title == "broken"))


def _print_rates(verdicts, failed):
    """Both readings of caught and false."""
    kept, left_out = verdicts != "accept", np.isin(verdicts, ("reject", "refused"))
    print(f"  failures not accepted   {interval(kept[failed])}")
    print(f"  good faces not accepted {interval(kept[~failed])}")
    print(f"  failures rejected       {interval(left_out[failed])}")
    print(f"  good faces rejected     {interval(left_out[~failed])}")


def _print_groups(title, groups, failed, flagged, chosen):
    print(f"\n{'by ' + title:<22}{'captures':>9}{'failed':>8}{'caught':>8}{'false':>7}")
    for name in np.unique(groups):
        here = chosen & (groups == name)
        counts = here.sum(), (here & failed).sum(), (here & failed & flagged).sum()
        false = (here & ~failed & flagged).sum()
        print(f"{name or 'none':<22}{counts[0]:>9}{counts[1]:>8}{counts[2]:>8}{false:>7}")


def interval(hits: np.ndarray) -> str:
    """Share of True and its 95 % interval (Wilson, JASA 1927)."""
    n, z = len(hits), 1.96
    if n == 0:
        return "none of 0"
    share = hits.mean()
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return f"{share:6.1%} ({max(middle - half, 0):.1%} to {middle + half:.1%}) of {n}"


if __name__ == "__main__":
    main()
