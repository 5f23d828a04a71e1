# /// script
# requires-python = ">=3.10"
# dependencies = ["scikit-learn>=1.6,<2"]
# ///
"""Pickles a forest that has learnt digits into the file that the first argument names."""

import pickle
import sys

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

if __name__ == "__main__":
    forest = RandomForestClassifier(60, random_state=7).fit(*load_digits(return_X_y=True))
    with open(sys.argv[1], "wb") as file:
        pickle.dump(forest, file)
