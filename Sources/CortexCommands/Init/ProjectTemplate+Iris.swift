extension ProjectTemplate {
    /// A model of scikit-learn that is trained in the constructor.
    static let iris = ProjectTemplate(
        name: "iris",
        abstract: "a scikit-learn classifier that trains itself",
        files: [
            File(
                path: "cortex.yaml",
                purpose: "the API: its name and settings",
                text: """
                    - name: iris
                      kind: RealtimeAPI
                      predictor:
                        type: python
                        path: predictor.py
                        config:
                          neighbours: 5

                    """
            ),
            File(
                path: "predictor.py",
                purpose: "the model, and the code that answers",
                text: """
                    from sklearn.datasets import load_iris
                    from sklearn.neighbors import KNeighborsClassifier

                    FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


                    class PythonPredictor:
                        def __init__(self, config):
                            iris = load_iris()
                            self.labels = [str(name) for name in iris.target_names]
                            self.model = KNeighborsClassifier(config["neighbours"]).fit(iris.data, iris.target)

                        def predict(self, payload):
                            flower = [payload[name] for name in FEATURES]
                            return self.labels[self.model.predict([flower])[0]]

                    """
            ),
            File(path: "requirements.txt", purpose: "packages to install", text: "scikit-learn>=1.3,<2\n"),
            File(
                path: "sample.json",
                purpose: "a request to try",
                text: """
                    {"sepal_length": 5.2, "sepal_width": 3.6, "petal_length": 1.4, "petal_width": 0.3}

                    """
            ),
            .ignore,
        ],
        sample: "sample.json"
    )
}
