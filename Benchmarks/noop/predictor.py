"""The least that a predictor can do with JSON."""


class PythonPredictor:
    def predict(self, payload):
        return {"n": payload["n"] + 1}
