"""A short form of benchmarks.chaos: three deaths while a set is made, and the set is the same."""

import random

from benchmarks.chaos import Stand, chaos


def test_a_set_survives_the_deaths_of_driver_worker_and_task(tmp_path, monkeypatch):
    # of what restarts in a second or two; scheduler and nanny are left to the whole script
    monkeypatch.setattr("benchmarks.chaos.TARGETS", ("driver", "worker", "task"))
    outcome = chaos(Stand(tmp_path, 12, 0.15), random.Random(1), 3, (0.1, 0.3))
    assert sum(outcome.kills.values()) >= 2, outcome  # the third may come after the end
    assert outcome.good, outcome
