"""Pickles read without executing them: what comes through, and what must not run."""

import pickle
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
import scipy.sparse as sp

from faces.errors import BadInput
from faces.models.inert import read_npy, read_npz, read_pickle
from faces.models.stand_ins import Skipped

LATIN = "Ünder" + chr(255)


class Trap:
    """Its pickle calls a function of ours; that it was called shows in ``sprung``."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


sprung = []


def spring(*args):
    sprung.append(args)
    return {}


def contents():
    rng = np.random.default_rng(0)
    return {
        "big": rng.normal(size=(3, 4)).astype(">f4"),
        "fortran": np.asfortranarray(rng.normal(size=(4, 3))),
        "whole": np.arange(5, dtype=np.uint32),
        "empty": np.zeros((0, 3)),
        "names": np.array(["ab", "c"]),
        "mixed": np.array([[1, 2], None, "x"], dtype=object),
        "number": np.float32(3.5),
        "bytes": LATIN.encode("latin1"),
        "nested": (1, [2, {"three": np.ones(2)}]),
        "ordered": OrderedDict(a=1),
    }


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_containers_come_through(tmp_path, protocol):
    true = contents()
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(true, protocol))
    read = read_pickle(path)
    assert list(read) == list(true)
    for key in ("big", "fortran", "whole", "empty", "names", "number"):
        np.testing.assert_array_equal(read[key], true[key])
        assert read[key].dtype == true[key].dtype
    assert read["mixed"].tolist() == true["mixed"].tolist()
    assert read["bytes"] == true["bytes"]
    assert read["nested"][:1] == (1,)
    np.testing.assert_array_equal(read["nested"][1][1]["three"], np.ones(2))
    assert read["ordered"] == {"a": 1}


@pytest.mark.parametrize("layout", ["csc_matrix", "csr_matrix", "coo_matrix", "csc_array"])
def test_sparse_matrices_come_through(tmp_path, layout):
    dense = np.random.default_rng(1).normal(size=(5, 7)) * (np.arange(35).reshape(5, 7) % 3 == 0)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(getattr(sp, layout)(dense), 2))
    np.testing.assert_array_equal(read_pickle(path).toarray(), dense)


def test_a_sparse_matrix_that_points_outside_is_refused(tmp_path):
    matrix = sp.csc_matrix(np.eye(4))
    matrix.indices[2] = 1_000_000
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(matrix))
    with pytest.raises(BadInput, match="unreadable"):
        read_pickle(path)


def fake_module(monkeypatch, name, **members):
    """A module of that name for as long as the test runs, whose classes pickle as its own."""
    module = types.ModuleType(name)
    for key, member in members.items():
        member.__module__, member.__qualname__ = name, key
        setattr(module, key, member)
    for parent in [name.rsplit(".", k)[0] for k in range(name.count("."), 0, -1)]:
        monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
    monkeypatch.setitem(sys.modules, name, module)
    return module


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_leaf_of_chumpy_is_its_array(tmp_path, monkeypatch, protocol):
    class Ch:
        def __init__(self, x):
            self.x, self._dirty_vars, self._itr = x, {"x"}, None

    fake_module(monkeypatch, "chumpy.ch", Ch=Ch)
    true = np.random.default_rng(2).normal(size=(4, 3, 2))
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"shapedirs": Ch(true)}, protocol))
    monkeypatch.undo()
    np.testing.assert_array_equal(read_pickle(path)["shapedirs"], true)


def test_torch_tensors_are_skipped_unread(tmp_path, monkeypatch):
    rebuild = types.FunctionType(spring.__code__, {"sprung": sprung})
    fake_module(monkeypatch, "torch._utils", _rebuild_tensor_v2=rebuild)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"t": Trap(rebuild, "storage", 0, (3,)), "n": np.ones(3)}))
    monkeypatch.undo()
    read = read_pickle(path)
    assert isinstance(read["t"], Skipped)
    np.testing.assert_array_equal(read["n"], np.ones(3))
    assert sprung == []


TRAPS = {
    "os.system": b"cos\nsystem\n(S'touch TRAP'\ntR.",
    "posix.system": b"cposix\nsystem\n(S'touch TRAP'\ntR.",
    "builtins.eval": b'cbuiltins\neval\n(S\'open("TRAP", "w")\'\ntR.',
    "__builtin__.getattr": b"c__builtin__\ngetattr\n(cnumpy\nndarray\nS'tofile'\ntR.",
    "numpy.load": b"cnumpy\nload\n(S'TRAP'\ntR.",
    "numpy.memmap": b"cnumpy\nmemmap\n(S'TRAP'\ntR.",
    "chumpy.ch.Ch.x": b"\x80\x04\x8c\x09chumpy.ch\x8c\x04Ch.x\x93.",
    "chumpy.reordering.transpose": b"cchumpy.reordering\ntranspose\n(tR.",
}


@pytest.mark.parametrize("name", TRAPS)
def test_any_other_name_is_refused_and_nothing_runs(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pkl"
    path.write_bytes(TRAPS[name])
    with pytest.raises(BadInput, match=f"asks for '{name}'"):
        read_pickle(path)
    assert not (tmp_path / "TRAP").exists()


def test_functions_of_ours_do_not_run_either(tmp_path):
    for write, read in ((_pickled, read_pickle), (_as_npy, read_npy), (_in_npz, read_npz)):
        with pytest.raises(BadInput, match=r"asks for '.*spring'"):
            read(write(tmp_path))
    assert sprung == []


def _pickled(folder):
    path = folder / "trap.pkl"
    path.write_bytes(pickle.dumps({"array": np.ones(3), "trap": Trap(spring, 1)}))
    return path


def _as_npy(folder):
    np.save(folder / "trap.npy", np.array({"trap": Trap(spring, 1)}), allow_pickle=True)
    return folder / "trap.npy"


def _in_npz(folder):
    np.savez(folder / "trap.npz", fine=np.ones(3), trap=np.array([Trap(spring, 1)], dtype=object))
    return folder / "trap.npz"


def test_a_call_hidden_in_a_state_does_not_run(tmp_path):
    # BUILD with a state sets attributes; here it tries to on what stands for numpy.ndarray.
    path = tmp_path / "model.pkl"
    path.write_bytes(b"cnumpy\nndarray\n(dS'__setstate__'\ncos\nsystem\nsb.")
    with pytest.raises(BadInput, match=r"os\.system"):
        read_pickle(path)


@pytest.mark.parametrize(
    "name",
    [
        *(b"numpy\nndarray", b"numpy\ndtype", b"numpy.core.numeric\n_frombuffer"),
        *(b"_codecs\nencode", b"__builtin__\nset", b"collections\nOrderedDict"),
        *(b"chumpy.ch\nCh", b"torch.storage\n_load_from_bytes"),
    ],
)
def test_a_pickle_cannot_change_what_reads_the_next(tmp_path, name):
    # BUILD with a pair sets the second's items as attributes, here on what the name stands for.
    path = tmp_path / "model.pkl"
    path.write_bytes(b"c" + name + b"\n(N(dS'made'\nI1\nsS'__new__'\nI1\nstb.")
    with pytest.raises(BadInput, match="unreadable"):
        read_pickle(path)
    for protocol in (2, 5):
        path.write_bytes(pickle.dumps({"array": np.arange(3.0), "bytes": b"a"}, protocol))
        np.testing.assert_array_equal(read_pickle(path)["array"], np.arange(3.0))


def test_nesting_without_end_is_refused(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"]" + b"]" * 200_000 + b"a" * 200_000 + b".")
    with pytest.raises(BadInput, match="unreadable"):
        read_pickle(path)


def test_dtypes_that_are_no_plain_ones_are_refused(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(np.zeros(2, dtype=[("a", "f4"), ("b", "O")])))
    with pytest.raises(BadInput, match="dtype 'V"):
        read_pickle(path)


def test_truncated_files_are_refused(tmp_path):
    whole = pickle.dumps(contents())
    path = tmp_path / "model.pkl"
    for size in (0, 1, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(BadInput, match="unreadable"):
            read_pickle(path)
    np.save(tmp_path / "a.npy", np.ones((40, 40)))
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-1])
    with pytest.raises(BadInput, match="unreadable"):
        read_npy(tmp_path / "a.npy")


def test_only_the_wanted_members_of_an_npz_are_read(tmp_path):
    path = _in_npz(tmp_path)
    assert list(read_npz(path, ("fine", "absent"))) == ["fine"]


def test_a_pickled_dictionary_in_an_npy(tmp_path):
    np.save(tmp_path / "d.npy", {"a": np.arange(3)}, allow_pickle=True)
    np.testing.assert_array_equal(read_npy(tmp_path / "d.npy")["a"], np.arange(3))
