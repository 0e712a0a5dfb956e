"""The project's own page on Dask's dashboard, and by itself: what a run makes, as it makes it."""
