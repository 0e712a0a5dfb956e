"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the shared photos, scans and models; skips the test where it is absent."""
    root = Path(__file__).resolve().parent.parent
    folder = (root / os.environ.get("SHARED", "../shared")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; set SHARED to the folder that holds it")
    return folder
