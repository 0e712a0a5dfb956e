"""One folder, one run, one set: locks, parts, versions."""
