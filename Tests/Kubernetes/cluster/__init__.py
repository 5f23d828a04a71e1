"""A Kubernetes cluster of one node on this machine, built from Debian's packages and sources alone."""
