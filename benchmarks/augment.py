"""How near rotated views come to the truth, rendered anew at each target pose.

    python -m benchmarks.augment --subjects 24 --people bare --workers 2 --sheet sheets

Virtual people are captured with noise, registered as ``synth fg3d`` registers them (with fewer
modes than they are made of) and turned by the plan's profile "fg3d". The truth of each view is the
same person turned as one, without noise, exposed as the photograph is (benchmarks.augment_truth).
Beside the finished view stand the stretched pixels of the same geometry (an RGB-D rotation without
a fill), the fitted model's texture alone, the fill's donor alone, and face profiling without depth
(benchmarks.rotation_peers). "Sensor alone" is what noise, lens, sharpening and compression of the
photograph cost over the same pixels: no view can be nearer to the truth.

Which pixels count. Colour: those that show the model's own surface in the truth (skin of head and
neck, eyes, mouth) and the person in the view, 2 px from either's rim; "visible" where nothing of
the view was synthesised, "filled" where more than half was. Hair, where people have it, counts
apart. Outline: the head, above a plane below the chin (augment_truth.BELOW_CHIN_MM): how the neck
ends and where the shoulders go is no question of a rotated face. A view that shows the photograph
itself (the base view) has no outline of its own to judge. Body and clothes are rendered,
since they hide, but not scored.

A landmark is "carried" from its true pixel in the photograph by the view's own geometry: the error
is the rotation's. Its "label" is the registered vertex, which holds the registration's slide along
the surface too. Inner 51 points; carried ones as far as the photograph shows them.

A bin holds the views whose achieved |yaw| is nearest to it. Each figure is the mean over subjects
of a subject's mean over its views there, ± the standard deviation over subjects.
"""

import argparse
import multiprocessing
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.augment_views import PEOPLE, Job, figures_of_subject
from benchmarks.tables import copied_to, print_table
from pipelines.isolation.process import keep_memory

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SEAM = 0.10  # how far a seam's gradient may be from its surroundings'

Rows = list[tuple[float, dict[str, float]]]  # of one subject: (yaw bin, figures) a view


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=24)
    parser.add_argument("--first", type=int, default=0, help="number of the first subject")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--people", choices=[*PEOPLE], default="bare")
    parser.add_argument("--pitches", type=int, default=2, help="views a yaw")
    parser.add_argument(
        "--light",
        choices=["turn", "still"],
        default="turn",
        help="of the truth: turns with the head, or stays in the room",
    )
    parser.add_argument(
        "--relight",
        action=argparse.BooleanOptionalAction,
        help="of the views (default: where the light is still)",
    )
    parser.add_argument("--workers", type=int, default=1, help="processes; they change no figure")
    parser.add_argument("--sheet", type=Path, help="folder for contact sheets, one a subject")
    parser.add_argument("--out", type=Path, help="a file for a copy of what is printed")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))  # of the processes started from here
    with multiprocessing.get_context("spawn").Pool(options.workers, keep_memory) as pool:
        found = pool.map(figures_of_subject, jobs(options), chunksize=1)
    with copied_to(options.out):
        report(found, options)


def jobs(options: argparse.Namespace) -> list[Job]:
    """One a subject."""
    still = options.light == "still"
    relight = still if options.relight is None else options.relight
    numbers = range(options.first, options.first + options.subjects)
    shared = (options.seed, options.people, still, relight, options.pitches, options.sheet)
    return [Job(number, *shared) for number in numbers]


def report(found: Sequence[Rows], options: argparse.Namespace) -> None:
    """The figures by yaw, and what they come to."""
    views = sum(map(len, found))
    print(f"\n**{len(found)} {options.people} subjects, {views} views, light: {options.light}**\n")
    bins = sorted({yaw for rows in found for yaw, _ in rows})
    columns = [f"{yaw:.0f}°" for yaw in bins] + ["all"]
    print_table(
        ("by yaw", *columns),
        [
            (name, *(cell(found, at(name), [yaw]) for yaw in bins), cell(found, at(name), bins))
            for name in names(found)
        ],
    )
    print("\n**In sum**\n")
    print_table(
        ("", "≤ 45°", "60° and 75°", "90°", "all"),
        [
            (name, *(cell(found, figure, some) for some in ranges(bins)))
            for name, figure in SUMS.items()
        ],
    )


def names(found: Sequence[Rows]) -> list[str]:
    """Of the figures that some view has."""
    every = [figures for rows in found for _, figures in rows]
    return [name for name in every[0] if any(np.isfinite(one[name]) for one in every)]


def ranges(bins: list[float]) -> list[list[float]]:
    """The bins of each column of the sum."""
    near = [yaw for yaw in bins if yaw <= 45]
    far = [yaw for yaw in bins if 45 < yaw < 90]
    return [near, far, [yaw for yaw in bins if yaw >= 90], bins]


def cell(found: Sequence[Rows], figure: Callable, bins: Sequence[float]) -> str:
    """Mean over subjects of a figure of each one's views in the bins, and its spread."""
    each = [figure([figures for yaw, figures in rows if yaw in bins]) for rows in found]
    values = [value for value in each if np.isfinite(value)]
    return f"{np.mean(values):.2f} ± {np.std(values):.2f}" if values else "–"


def at(name: str, factor: float = 1) -> Callable:
    """Of a subject's views: the mean of the figure of this name, over those that have it."""
    return lambda views: mean([factor * figures[name] for figures in views])


def gain(first: str, second: str) -> Callable:
    """By how much one figure is above another."""
    return lambda views: mean([figures[first] - figures[second] for figures in views])


def change(first: str, second: str) -> Callable:
    """By how many per cent the mean of one figure is above that of another."""

    def ratio(views):
        both = np.array([(figures[first], figures[second]) for figures in views]).reshape(-1, 2)
        both = both[np.isfinite(both).all(1)]
        return 100 * (both[:, 0].sum() / both[:, 1].sum() - 1) if len(both) else np.nan

    return ratio


def near(first: str, second: str | None = None) -> Callable:
    """Per cent of the views where a ratio is within SEAM of another, or of 1."""

    def share(views):
        ratios = np.array([f[first] / (f[second] if second else 1) for f in views])
        return mean(np.where(np.isfinite(ratios), 100.0 * (np.abs(ratios - 1) <= SEAM), np.nan))

    return share


def mean(values) -> float:
    """Of what is finite; NaN where nothing is."""
    values = np.array(values)
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else np.nan


SUMS = {
    "visible dB, view": at("visible dB, view"),
    "visible dB, sensor alone": at("visible dB, sensor alone"),
    "visible dB, profiling": at("visible dB, profiling"),
    "filled dB, over stretched": gain("filled dB, view", "filled dB, stretched"),
    "filled dB, over texture": gain("filled dB, view", "filled dB, texture"),
    "filled dB, over donor": gain("filled dB, view", "filled dB, donor"),
    "filled dB, over profiling": gain("filled dB, view", "filled dB, profiling"),
    "gradient error against stretched, %": change(
        "gradient error, view", "gradient error, stretched"
    ),
    "gradient error against texture, %": change("gradient error, view", "gradient error, texture"),
    "seams within 10 % of around, % of views": near("seam, view"),
    "the same of the truth": near("seam, truth"),
    "seams within 10 % of the truth's": near("seam, view", "seam, truth"),
    "seam's gradient against the truth's, %": change("seam, view", "seam, truth"),
    "landmarks px, carried": at("landmarks px, carried"),
    "landmarks px, carried, median": at("landmarks px, carried, median"),
    "landmarks px, label": at("landmarks px, label"),
    "head IoU, %": at("head IoU", 100),
    "head outline px": at("head outline px"),
}

if __name__ == "__main__":
    main()
