"""SciPy's BLAS and LAPACK for compiled loops: in place, on blocks of larger arrays.

NumPy's and SciPy's own wrappers cost some microseconds a call and a copy of every block that is not
contiguous, which on a factor of hundreds of small fronts is half of the time. A block is named by
its flat, Fortran-ordered store, the place of its first entry and the stride of its columns. The
store's dtype, float32 or float64, chooses the routine.
"""

import llvmlite.binding as llvm
import numpy as np
from numba import float32, types
from numba.extending import get_cython_function_address, overload
from threadpoolctl import threadpool_limits

# Arguments go by reference. Constants of the module stay where they are while a routine runs.
_LETTERS = np.frombuffer(b"LRTN", dtype=np.uint8)  # lower, right, transposed, not
_SINGLE, _DOUBLE = (np.array([0, 1, -1], dtype=t) for t in (np.float32, np.float64))

# Fronts are small: a second core to share each with makes a registration fifteen times dearer.
one_thread = threadpool_limits.wrap(limits=1, user_api="blas")


def _routine(module, name, arguments):
    """A Fortran routine under a fixed name, so that what calls it can be cached on disk."""
    symbol = f"scipy_{name}"
    llvm.add_symbol(symbol, get_cython_function_address(f"scipy.linalg.{module}", name))
    return types.ExternalFunction(symbol, types.void(*[types.intp] * arguments))


_POTRF = {t: _routine("cython_lapack", f"{t}potrf", 5) for t in "sd"}
_TRSM = {t: _routine("cython_blas", f"{t}trsm", 11) for t in "sd"}
_SYRK = {t: _routine("cython_blas", f"{t}syrk", 10) for t in "sd"}


def cholesky(store, at, size, stride):
    """Factor the lower triangle of a block (size, size) in place; 0, or the bad pivot from 1."""
    raise NotImplementedError("called from compiled code alone")


def divide(store, diagonal, block, rows, size, stride):
    """Block (rows, size) ← block · L⁻ᵀ of the lower triangle L (size, size) at ``diagonal``."""
    raise NotImplementedError("called from compiled code alone")


def subtract_square(store, at, rows, size, stride, keep, out):
    """Lower triangle of out (rows, rows) ← keep · out − B Bᵀ of a block B; keep is 0 or 1."""
    raise NotImplementedError("called from compiled code alone")


def _kind(store):
    single = store.dtype == float32
    return ("s", _SINGLE) if single else ("d", _DOUBLE)


@overload(cholesky)
def _cholesky(store, at, size, stride):
    potrf = _POTRF[_kind(store)[0]]

    def run(store, at, size, stride):
        numbers = np.array([size, stride, 0], dtype=np.int32)
        n, block = numbers.ctypes.data, store.ctypes.data + at * store.itemsize
        potrf(_LETTERS.ctypes.data, n, block, n + 4, n + 8)
        return numbers[2]

    return run


@overload(divide)
def _divide(store, diagonal, block, rows, size, stride):
    kind, factors = _kind(store)
    trsm = _TRSM[kind]

    def run(store, diagonal, block, rows, size, stride):
        numbers = np.array([rows, size, stride], dtype=np.int32)
        n, c, start = numbers.ctypes.data, _LETTERS.ctypes.data, store.ctypes.data
        a, b = start + diagonal * store.itemsize, start + block * store.itemsize
        one = factors.ctypes.data + store.itemsize
        trsm(c + 1, c, c + 2, c + 3, n, n + 4, one, a, n + 8, b, n + 8)
        return numbers[0]

    return run


@overload(subtract_square)
def _subtract_square(store, at, rows, size, stride, keep, out):
    kind, factors = _kind(store)
    syrk = _SYRK[kind]

    def run(store, at, rows, size, stride, keep, out):
        numbers = np.array([rows, size, stride], dtype=np.int32)
        n, c, f = numbers.ctypes.data, _LETTERS.ctypes.data, factors.ctypes.data
        block = store.ctypes.data + at * store.itemsize
        beta = f + keep * store.itemsize
        syrk(c, c + 3, n, n + 4, f + 2 * store.itemsize, block, n + 8, beta, out.ctypes.data, n)
        return numbers[0] + out.size

    return run
