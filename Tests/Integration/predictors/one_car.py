# /// script
# requires-python = ">=3.10"
# dependencies = ["mlflow-skinny>=3,<4", "pandas>=2", "scikit-learn>=1.6,<2"]
# ///
"""Saves a regression with MLflow in the folder that the first argument names; prints what it says of the sample."""

import logging
import sys

import mlflow.sklearn
import numpy as np
from sklearn.linear_model import LinearRegression

SAMPLE = [4, 135, 84, 2490, 15.7]


class Regression(LinearRegression):
    """Takes one car too, and says a number then: one of the documents' predictors relies on that."""

    def predict(self, x):
        answers = super().predict(np.atleast_2d(x))
        return answers.item() if np.ndim(x) == 1 else answers


if __name__ == "__main__":
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    cars = np.random.default_rng(7).normal(SAMPLE, [2, 60, 30, 500, 3], (50, 5))
    model = Regression().fit(cars, 60 - cars @ [0.5, 0.01, 0.05, 0.01, 0.1])
    mlflow.sklearn.save_model(model, sys.argv[1], serialization_format="cloudpickle", pip_requirements=[])
    print(model.predict(SAMPLE))
