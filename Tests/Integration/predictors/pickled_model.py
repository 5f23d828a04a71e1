# /// script
# requires-python = ">=3.9"
# dependencies = ["scikit-learn"]
# ///
"""Writes a pickled scikit-learn model to the path that it is given: numbers over 5 are of class 1."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from sklearn.tree import DecisionTreeClassifier

model = DecisionTreeClassifier().fit([[0.0], [4.0], [6.0], [10.0]], [0, 0, 1, 1])
Path(sys.argv[1]).write_bytes(pickle.dumps(model))
