"""A depth camera that errs: noise and faults of depth and colour."""
