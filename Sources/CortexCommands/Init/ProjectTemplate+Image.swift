extension ProjectTemplate {
    /// Bytes in, as a body or as an upload.
    static let image = ProjectTemplate(
        name: "image",
        abstract: "an image as the body or as an upload",
        files: [
            File(
                path: "cortex.yaml",
                purpose: "the API: its name and settings",
                text: """
                    - name: image
                      kind: RealtimeAPI
                      predictor:
                        type: python
                        path: predictor.py

                    """
            ),
            File(
                path: "predictor.py",
                purpose: "the code that answers",
                text: """
                    import io

                    from PIL import Image, ImageStat


                    class PythonPredictor:
                        def __init__(self, config):
                            pass

                        def predict(self, payload):
                            # A form gives its fields, any other content type the bytes of the body.
                            data = payload if isinstance(payload, bytes) else payload["image"].file.read()
                            image = Image.open(io.BytesIO(data)).convert("RGB")
                            red, green, blue = ImageStat.Stat(image).mean
                            return {"size": image.size, "mean": {"red": red, "green": green, "blue": blue}}

                    """
            ),
            File(path: "requirements.txt", purpose: "packages to install", text: "pillow>=10\n"),
            File(
                path: "sample.ppm",
                purpose: "an image to try: four pixels",
                text: """
                    P3
                    2 2
                    255
                    255 0 0  0 255 0
                    0 0 255  255 255 255

                    """
            ),
            .ignore,
        ],
        sample: "sample.ppm"
    )
}
