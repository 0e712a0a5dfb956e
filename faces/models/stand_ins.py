"""What the names in a pickle stand for: classes that keep what they are given and do nothing else.

faces.models.inert reads with these and makes arrays of them afterwards. Each name's true meaning is
NumPy's, SciPy's or chumpy's; KNOWN lists all there are.
"""

import re

import numpy as np

_DTYPE = re.compile(r"[?biufcSUO]\d*")


class StandIn:
    """What a name stands for: always a class, and one that takes no state unless it says so.

    Left to itself, the unpickler would set attributes of what has no ``__setstate__``, a class of
    ours among them.
    """

    def __setstate__(self, _):
        raise ValueError("a state where none belongs")


class Skipped(StandIn):
    """What stands for a value that was left unread, e.g. a torch tensor."""

    def __init__(self, *_):
        pass

    def __setstate__(self, _):
        pass


class Bag(StandIn):
    """An object's attributes, whatever they are; its class never runs."""

    state = None

    def __setstate__(self, state):
        self.state = state


class Chumpy(Bag):
    """chumpy.ch.Ch, a leaf of chumpy's graph: an array under "x"."""


class Sparse(Bag):
    """A sparse matrix of SciPy, whose class's name tells its layout."""

    layout = ""


class _Csc(Sparse):
    layout = "csc"


class _Csr(Sparse):
    layout = "csr"


class _Coo(Sparse):
    layout = "coo"


class Dtype(StandIn):
    """numpy.dtype: its code and, from the state, its byte order."""

    def __init__(self, code="", *_):
        self.code, self.order = str(code), "="

    def __setstate__(self, state):
        self.order = text_of(state[1])

    def made(self) -> np.dtype:
        if not _DTYPE.fullmatch(self.code):
            raise ValueError(f"an array of dtype '{self.code}'")
        order = self.order if self.order in "<>=|" else "="
        return np.dtype(self.code).newbyteorder(order)


class Array(Bag):
    """numpy.ndarray: shape, dtype, order and bytes, from the state NumPy writes."""

    def made(self) -> np.ndarray:
        _, shape, dtype, fortran, raw = self.state
        return _array(shape, dtype, "F" if fortran else "C", raw)


class _Reconstruct(StandIn):
    """numpy's _reconstruct and copyreg's _reconstructor: an empty object of a class of ours."""

    def __new__(cls, kind=None, *_):
        if not (isinstance(kind, type) and issubclass(kind, Bag)):
            raise ValueError("an object of a class that is not one")
        return kind()


class Buffered(StandIn):
    """numpy's _frombuffer: an array of a protocol 5 pickle."""

    def __init__(self, raw, dtype, shape, order="C"):
        self.parts = (shape, dtype, order, raw)

    def made(self) -> np.ndarray:
        return _array(*self.parts)


class Scalar(StandIn):
    """A NumPy scalar: dtype and bytes."""

    def __init__(self, dtype, raw=None):
        self.dtype, self.raw = dtype, raw

    def made(self):
        return _array((), self.dtype, "C", self.raw)[()]


class _Encode(StandIn):
    """_codecs.encode: how old protocols write bytes."""

    def __new__(cls, text, encoding="latin1"):
        if encoding != "latin1":
            raise ValueError(f"bytes in '{encoding}'")
        return text.encode("latin1")


class _NoBytes(StandIn):
    """bytes(), which is how the oldest protocols write none at all."""

    def __new__(cls):
        return b""


class _Set(StandIn):
    """set(): chumpy keeps names in one."""

    def __new__(cls, items=()):
        return set(items)


def _array(shape, dtype: Dtype, order: str, raw) -> np.ndarray:
    shape = tuple(int(size) for size in shape)
    dtype = dtype.made()
    if dtype.hasobject:
        array = np.zeros(len(raw), dtype=object)
        array[:] = raw
        return array.reshape(shape, order=order)
    data = raw.encode("latin1") if isinstance(raw, str) else bytes(raw)
    return np.frombuffer(data, dtype=dtype).reshape(shape, order=order)


def text_of(value) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


_NUMPY = {
    "multiarray": {"_reconstruct": _Reconstruct, "scalar": Scalar},
    "numeric": {"_frombuffer": Buffered},
}
KNOWN = {
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, names in _NUMPY.items()
        for name, stand_in in names.items()
    },
    **{
        (f"scipy.sparse.{mark}{kind.layout}", f"{kind.layout}_{form}"): kind
        for kind in (_Csc, _Csr, _Coo)
        for mark in ("", "_")
        for form in ("matrix", "array")
    },
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): Dtype,
    ("chumpy.ch", "Ch"): Chumpy,
    ("_codecs", "encode"): _Encode,
    ("__builtin__", "bytes"): _NoBytes,
    ("copy_reg", "_reconstructor"): _Reconstruct,
    ("copyreg", "_reconstructor"): _Reconstruct,
    ("__builtin__", "object"): Bag,
    ("builtins", "object"): Bag,
    **{(module, "set"): _Set for module in ("__builtin__", "builtins")},
    ("collections", "OrderedDict"): dict,
    ("torch._utils", "_rebuild_tensor_v2"): Skipped,
    ("torch.storage", "_load_from_bytes"): Skipped,
}
