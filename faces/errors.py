"""The one exception that says: this input is bad, here is why, and here is what to do."""


class BadInput(ValueError):
    """An input that cannot be processed; a batch records it and goes on.

    The message reads ``what: got; expected; remedy``, e.g.
    ``scan 'a/b.depth.png': depth is all zero in the face box (0 of 41,230 pixels valid);
    expected 16-bit millimetres; pass --depth-scale if yours is in metres``.

    Args:
        what: the input and where it lies, e.g. ``"scan 'a/b.depth.png'"``.
        got: what was found.
        expected: what a good input has there.
        remedy: what the user can do about it.
    """

    def __init__(self, what: str, got: str, expected: str, remedy: str):
        super().__init__(f"{what}: {got}; expected {expected}; {remedy}")
        self.what, self.got, self.expected, self.remedy = what, got, expected, remedy

    def __reduce__(self):
        # The default would call __init__ with the joined message alone, and fail between processes.
        return type(self), (self.what, self.got, self.expected, self.remedy)


class MissingExtra(ImportError):
    """An optional package is needed and not installed.

    Args:
        feature: what was asked for, e.g. ``"reading a GLB with pyrender"``.
        extra: the name of facesynth's extra that brings it, e.g. ``"gl"``.
    """

    def __init__(self, feature: str, extra: str):
        super().__init__(
            f"{feature} needs the extra '{extra}', which is not installed; "
            f"run: pip install 'facesynth[{extra}]'"
        )
        self.feature, self.extra = feature, extra

    def __reduce__(self):
        return type(self), (self.feature, self.extra)
