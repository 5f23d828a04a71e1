def predict(self, payload):
    # string object
    response = "class 1"
    return response
