"""What every process that does tasks is set to: one thread, and memory that it keeps."""

import ctypes
import os
import sys

# A worker is one process with one thread: libraries that start a thread a core slow each other.
THREAD_LIMITS = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMBA_NUM_THREADS",
    )
}


# glibc's options (malloc.h), and what to set them to. Images and textures of 1 to 30 MB are made
# and dropped all the time. Dask has its workers hand memory back above 64 KB; then each of these
# arrays is fetched from the system anew, page by page, which doubles a subject's time.
M_TRIM_THRESHOLD, TRIM_BYTES = -1, 256 << 20
M_MMAP_THRESHOLD, MMAP_BYTES = -3, 32 << 20  # the largest that every glibc takes


def keep_memory() -> None:
    """Freed memory stays with this process up to TRIM_BYTES; nothing where there is no glibc."""
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_TRIM_THRESHOLD, TRIM_BYTES)
        library.mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)


def limit_threads() -> None:
    """One thread for every numerical library of this process.

    The environment counts for libraries that are loaded later; cluster.py sets it before a local
    worker starts.
    """
    os.environ.update(THREAD_LIMITS)
    import cv2

    cv2.setNumThreads(1)
