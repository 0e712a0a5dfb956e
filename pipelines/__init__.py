"""What runs: plans, the Dask engine, the stages, the recipes and the command line."""
