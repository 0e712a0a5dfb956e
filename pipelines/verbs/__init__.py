"""The verbs of the command ``synth``, one a file."""
