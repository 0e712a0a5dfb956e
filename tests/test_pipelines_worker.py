import os
import subprocess
import sys

import pytest

# faults of pages in 50 rounds of making and dropping an image of 15 MB (3,600 pages)
FAULTS = """
import resource, sys
import numpy as np
from pipelines.isolation.process import keep_memory
if sys.argv[1] == "keep":
    keep_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    np.full(15 << 20, 7, dtype=np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="an option of glibc")
def test_dropped_images_stay_with_the_worker_though_dask_trims():
    environ = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    kept, trimmed = (
        int(subprocess.check_output([sys.executable, "-c", FAULTS, how], env=environ))
        for how in ("keep", "trim")
    )
    # the pages are fetched once instead of in every round; huge pages make either number smaller
    assert kept * 10 < trimmed
