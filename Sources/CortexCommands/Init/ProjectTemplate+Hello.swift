extension ProjectTemplate {
    /// JSON in, JSON out, and a setting from `cortex.yaml`.
    static let hello = ProjectTemplate(
        name: "hello",
        abstract: "JSON in, JSON out; nothing to install",
        files: [
            File(
                path: "cortex.yaml",
                purpose: "the API: its name and settings",
                text: """
                    - name: hello
                      kind: RealtimeAPI
                      predictor:
                        type: python
                        path: predictor.py
                        config:
                          greeting: Hello

                    """
            ),
            File(
                path: "predictor.py",
                purpose: "the code that answers",
                text: """
                    class PythonPredictor:
                        def __init__(self, config):
                            # Runs once, before the first request: load your model here.
                            self.greeting = config["greeting"]

                        def predict(self, payload):
                            return {"text": f"{self.greeting}, {payload['name']}!"}

                    """
            ),
            File(path: "sample.json", purpose: "a request to try", text: "{\"name\": \"iris\"}\n"),
            .ignore,
        ],
        sample: "sample.json"
    )
}
