"""Where workers come from: this machine, a batch system, Kubernetes; and whether they will do."""
