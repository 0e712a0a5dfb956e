"""RGB-D scan in, registered face out (T-ICP; Beyond 3DMM Space, section 3.1)."""
