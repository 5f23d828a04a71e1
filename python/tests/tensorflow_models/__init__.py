"""Tests with TensorFlow, which is large: `dev/worker-tests --tensorflow` runs them in an environment of their own."""
