# /// script
# requires-python = ">=3.10"
# dependencies = ["mlflow-skinny>=3,<4", "pandas>=2", "scikit-learn>=1.6,<2"]
# ///
"""Fits a linear regression to 32 cars and saves it with MLflow, twice: as versions 1 and 2 of one model."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import mlflow.sklearn
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score

FEATURES = ["cylinders", "displacement", "horsepower", "weight", "acceleration"]
HERE = Path(__file__).parent


def main() -> None:
    """Writes `models/linreg/1` and `models/linreg/2`; what is there is replaced."""
    # It warns that pickles run code when they are loaded, and that there is no pip: we make the file, and need none.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    cars = pd.read_csv(HERE / "cars.csv")
    # Arrays, not frames: the predictor sends numbers without names.
    x, y = cars[FEATURES].to_numpy(dtype=float), cars["mpg"].to_numpy()
    model = LinearRegression().fit(x, y)
    error = -cross_val_score(model, x, y, cv=8, scoring="neg_mean_absolute_error").mean()
    for version in ("1", "2"):
        folder = HERE / "models" / "linreg" / version
        shutil.rmtree(folder, ignore_errors=True)
        mlflow.sklearn.save_model(model, folder, serialization_format="cloudpickle", pip_requirements=[])
    print(f"fitted {len(cars)} cars; mean error on cars not seen: {error:.1f} miles per gallon")


if __name__ == "__main__":
    main()
