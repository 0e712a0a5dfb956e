"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real scans, photos and models; tests that need it skip where it is absent."""
    folder = (ROOT / os.environ.get("SHARED", "../shared")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; set SHARED to its folder")
    return folder
