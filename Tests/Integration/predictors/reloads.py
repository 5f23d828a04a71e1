"""Predictors that ask all models that they are told of, in one request: for tests that reload many at once."""

import os
import pickle


class PythonPredictor:
    def __init__(self, config, python_client):
        self.client = python_client
        self.names = config["names"]

    def load_model(self, model_path):
        with open(os.path.join(model_path, "model.pkl"), "rb") as file:
            model = pickle.load(file)
        with open(os.path.join(model_path, "value")) as file:
            return model, int(file.read())

    def ask(self, name):
        model, value = self.client.get_model(name)
        assert len(model.predict([[0.0] * 64])) == 1
        return value

    def predict(self, payload):
        return {"pid": os.getpid(), "values": [self.ask(name) for name in self.names]}


class ONNXPredictor(PythonPredictor):
    def __init__(self, onnx_client, config):
        super().__init__(config, onnx_client)

    def ask(self, name):
        return int(self.client.predict([1.0], name)[0][0])


class TensorFlowPredictor(PythonPredictor):
    def __init__(self, tensorflow_client, config):
        super().__init__(config, tensorflow_client)

    def ask(self, name):
        return int(self.client.predict({"x": 1.0}, name)["y"][0])
