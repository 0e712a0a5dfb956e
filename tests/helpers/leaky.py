"""A function for processes that leak, in a module that costs nothing to import."""

kept = []


def leak(nbytes: int) -> None:
    """Leave memory behind."""
    kept.append(b"\1" * nbytes)
