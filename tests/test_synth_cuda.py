"""What the torch back end refuses; what it renders is in test_synth_renderers."""

import sys

import pytest

from faces.errors import BadInput, MissingExtra
from synth.cuda import TorchRenderer


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"facesynth\[train\]"):
        TorchRenderer()


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    torch = pytest.importorskip("torch", reason="the extra 'train' is not installed")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BadInput, match=r"no CUDA device.*'raster'"):
        TorchRenderer("cuda")


def test_a_factor_off_the_sampling_grid_is_refused():
    with pytest.raises(BadInput, match="'cuda': supersample 3"):
        TorchRenderer("cpu", supersample=3)
