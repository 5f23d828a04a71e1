"""Predictors that say which model they were given, in one file for three types."""

import os


class PythonPredictor:
    def __init__(self, config, python_client):
        self.client = python_client

    def load_model(self, model_path):
        with open(os.path.join(model_path, "value")) as file:
            value = file.read()
        if value == "broken":
            raise ValueError("these weights are s3cret and broken")
        # Whatever else is in the folder belongs to the model.
        return value + "".join(f"+{name}" for name in sorted(os.listdir(model_path)) if name != "value")

    def predict(self, query_params):
        return self.client.get_model(query_params.get("model"), query_params.get("version", "latest"))


class ONNXPredictor:
    def __init__(self, onnx_client, config):
        self.client = onnx_client

    def predict(self, query_params):
        found = self.client.predict([1.0], query_params.get("model"), query_params.get("version", "latest"))
        return str(int(found[0][0]))


class TensorFlowPredictor:
    def __init__(self, tensorflow_client, config):
        self.client = tensorflow_client

    def predict(self, query_params):
        found = self.client.predict({"x": 1.0}, query_params.get("model"), query_params.get("version", "latest"))
        return str(int(found["y"][0]))
