extension BrokenConfig {
    /// Configs with problems in the predictor section.
    static let predictorCases: [BrokenConfig] = [
        BrokenConfig(
            "no type and no path",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: {config: {}}
            """,
            [
                "3:14: iris: predictor: type is missing; it must be python, tensorflow or onnx",
                "3:14: iris: predictor: path is missing; it must be the path of a Python file in the project",
            ]
        ),
        BrokenConfig(
            "a type that does not exist",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: {type: Python, path: predictor.py}
            """,
            [
                #"3:21: iris: predictor.type: is "Python"; it must be python, tensorflow or onnx (did you mean python?)"#
            ]
        ),
        BrokenConfig(
            "a TensorFlow predictor without a model",
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: tensorflow
                path: predictor.py
                signature_key: predict
            """,
            [
                "4:11: iris: predictor.type: tensorflow needs a model; give model_path or models"
            ]
        ),
        BrokenConfig(
            "an ONNX predictor without a model",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: {type: onnx, path: predictor.py}
            """,
            [
                "3:21: iris: predictor.type: onnx needs a model; give model_path or models"
            ]
        ),
        BrokenConfig(
            "a path that is missing",
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: python
                path: missing.py
            """,
            [
                #"5:11: iris: predictor.path: there is no file "missing.py"; it must be a file of the project, relative to cortex.yaml"#
            ]
        ),
        BrokenConfig(
            "a path that is absolute",
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: python
                path: /etc/passwd.py
            """,
            [
                #"5:11: iris: predictor.path: "/etc/passwd.py" is an absolute path; it must be relative to cortex.yaml"#
            ]
        ),
        BrokenConfig(
            "a path outside the project",
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: python
                path: ../predictor.py
            """,
            [
                #"5:11: iris: predictor.path: "../predictor.py" is outside the project; it must be relative to cortex.yaml"#
            ]
        ),
        BrokenConfig(
            "a path that is a folder",
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: python
                path: src
            """,
            [
                #"5:11: iris: predictor.path: "src" is a folder; it must be a file of the project, relative to cortex.yaml"#
            ]
        ),
        BrokenConfig(
            "a path that is not Python",
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: python
                path: sample.json
            """,
            [
                #"5:11: iris: predictor.path: "sample.json" is not a Python file; its name must end in .py"#
            ]
        ),
        BrokenConfig(
            "a path that is left out",
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: python
                path: secret.py
            """,
            [
                #"5:11: iris: predictor.path: "secret.py" is left out of the project; check .cortexignore; names that start with . and Python byte code are never packaged"#
            ]
        ),
        BrokenConfig(
            "a path that is empty",
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: python
                path: ""
            """,
            [
                "5:11: iris: predictor.path: is empty; it must be the path of a Python file in the project"
            ]
        ),
        BrokenConfig(
            "a path that is the root",
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: python
                path: ./
            """,
            [
                #"5:11: iris: predictor.path: "./" is the project's root; name something in it, or remove the key"#
            ]
        ),
        .predictor(
            "a mistyped key",
            "procesess_per_replica: 2",
            [
                #"6:5: iris: predictor: unknown key "procesess_per_replica" (did you mean processes_per_replica?)"#
            ]
        ),
        .predictor(
            "a key with dashes",
            "threads-per-process: 2",
            [
                #"6:5: iris: predictor: unknown key "threads-per-process" (did you mean threads_per_process?)"#
            ]
        ),
        .predictor(
            "a quoted number",
            "processes_per_replica: \"2\"",
            [
                #"6:28: iris: predictor.processes_per_replica: is the text "2"; it must be a whole number from 1 to 100 (remove the quotes)"#
            ]
        ),
        .predictor(
            "a fraction",
            "processes_per_replica: 2.0",
            [
                "6:28: iris: predictor.processes_per_replica: is the number 2.0; it must be a whole number from 1 to 100"
            ]
        ),
        .predictor(
            "a boolean for a number",
            "processes_per_replica: true",
            [
                "6:28: iris: predictor.processes_per_replica: is the boolean true; it must be a whole number from 1 to 100"
            ]
        ),
        .predictor(
            "a null for a number",
            "threads_per_process:",
            [
                "6:5: iris: predictor.threads_per_process: is empty; it must be a whole number from 1 to 10000, or remove the key"
            ]
        ),
        .predictor(
            "too many processes",
            "processes_per_replica: 101",
            [
                "6:28: iris: predictor.processes_per_replica: is 101; it must be a whole number from 1 to 100"
            ]
        ),
        .predictor(
            "no threads",
            "threads_per_process: 0",
            [
                "6:26: iris: predictor.threads_per_process: is 0; it must be a whole number from 1 to 10000"
            ]
        ),
        .predictor(
            "a number beyond all bounds",
            "threads_per_process: 99999999999999999999999",
            [
                "6:26: iris: predictor.threads_per_process: is the number 99999999999999999999999; it must be a whole number from 1 to 10000"
            ]
        ),
        .predictor(
            "models of a later version",
            "multi_model_reloading: {path: s3://bucket/model}",
            [
                #"6:5: iris: predictor: the key "multi_model_reloading" is of another version of Cortex; write its path as predictor.model_path, and all else of it as predictor.models"#
            ]
        ),
        .predictor(
            "a reserved variable",
            "env: {CORTEX_PORT: 80}",
            [
                "6:11: iris: predictor.env.CORTEX_PORT: CORTEX_PORT is reserved; names that begin with CORTEX_ are set by Cortex"
            ]
        ),
        .predictor(
            "a variable of no legal name",
            "env: {1A: x, B-C: y}",
            [
                #"6:11: iris: predictor.env.1A: "1A" is not the name of a variable; letters, digits and _, no digit first"#,
                #"6:18: iris: predictor.env.B-C: "B-C" is not the name of a variable; letters, digits and _, no digit first"#,
            ]
        ),
        .predictor(
            "a variable without a value",
            """
            env:
              A:
              B: [1]
            """,
            [
                #"7:7: iris: predictor.env.A: is empty; write "" for an empty text, or remove the key"#,
                "8:10: iris: predictor.env.B: is a list; it must be text",
            ]
        ),
        .predictor(
            "a list as env",
            "env: [A=1]",
            [
                "6:10: iris: predictor.env: is a list; it must be a map"
            ]
        ),
        .predictor(
            "a list as config",
            "config: [1]",
            [
                "6:13: iris: predictor.config: is a list; it must be a map"
            ]
        ),
        .predictor(
            "a number as a key of the config",
            "config: {labels: {0: cat, on: dog}}",
            [
                #"6:23: iris: predictor.config.labels.0: the key is the number 0, not text; put it in quotes: "0""#,
                #"6:31: iris: predictor.config.labels.on: the key is the boolean on, not text; put it in quotes: "on""#,
            ]
        ),
        .predictor(
            "numbers that JSON has not",
            "config: {a: .nan, b: [-.inf], c: 99999999999999999999}",
            [
                "6:17: iris: predictor.config.a: is .nan; JSON has finite numbers only; put it in quotes",
                "6:27: iris: predictor.config.b[0]: is -.inf; JSON has finite numbers only; put it in quotes",
                "6:38: iris: predictor.config.c: is beyond 64 bits; put it in quotes",
            ]
        ),
        .predictor(
            "a python_path that is missing",
            "python_path: nowhere",
            [
                #"6:18: iris: predictor.python_path: there is no folder "nowhere"; it must be a folder of the project, relative to cortex.yaml"#
            ]
        ),
        .predictor(
            "a python_path that is absolute",
            "python_path: /usr/lib",
            [
                #"6:18: iris: predictor.python_path: "/usr/lib" is an absolute path; it must be relative to cortex.yaml"#
            ]
        ),
        .predictor(
            "a python_path that is the root",
            "python_path: ./.",
            [
                #"6:18: iris: predictor.python_path: "./." is the project's root; name something in it, or remove the key"#
            ]
        ),
        .predictor(
            "a python_path that is a file",
            "python_path: sample.json",
            [
                #"6:18: iris: predictor.python_path: "sample.json" is a file; it must be a folder of the project, relative to cortex.yaml"#
            ]
        ),
        .predictor(
            "an image of no legal name",
            "image: Not An Image",
            [
                #"6:12: iris: predictor.image: "Not An Image" is not the name of an image; such as registry.example.com/team/image:1.2"#
            ]
        ),
        .predictor(
            "a signature key for Python",
            "signature_key: predict",
            [
                "6:20: iris: predictor.signature_key: is of type tensorflow only; remove the key"
            ]
        ),
        .predictor(
            "batching for Python",
            "server_side_batching: {max_batch_size: 1, batch_interval: 0s}",
            [
                "6:27: iris: predictor.server_side_batching: is of type tensorflow only; remove the key",
                "6:44: iris: predictor.server_side_batching.max_batch_size: is 1; it must be a whole number from 2 to 1024",
                "6:63: iris: predictor.server_side_batching.batch_interval: is 0s; it must be a duration over 0s, such as 500ms, 30s or 1m30s",
            ]
        ),
        .predictor(
            "a model beside models",
            """
            model_path: s3://b/m
            models: {dir: s3://b/n}
            """,
            [
                "6:17: iris: predictor.model_path: stands beside models; give one of the two"
            ]
        ),
        .predictor(
            "models in no place",
            """
            models:
              paths:
                - {name: a, model_path: s3://bucket}
                - {name: b, path: "hdfs://host/b"}
                - {name: c, path: "s3://key:secret@bucket/c"}
            """,
            [
                #"8:33: iris: predictor.models.paths[0].model_path: "s3://bucket" names a whole bucket; name a folder in it, such as s3://bucket/folder"#,
                "9:27: iris: predictor.models.paths[1].path: hdfs:// is not supported; it must be s3://, gs://, az://, abfs://, http(s)://, or a path",
                "10:27: iris: predictor.models.paths[2].path: the URL holds a user name or password; leave them out of the file, and set the store's variables (AWS_ACCESS_KEY_ID, …) instead",
            ]
        ),
        .predictor(
            "models without any",
            "models: {cache_size: 1, disk_cache_size: 2}",
            [
                "6:13: iris: predictor.models: names no model; give paths or dir"
            ]
        ),
        .predictor(
            "models of both forms",
            """
            models:
              dir: s3://b/m
              paths: [{name: a, model_path: s3://b/a}]
            """,
            [
                "7:12: iris: predictor.models.dir: stands beside paths; give one of the two"
            ]
        ),
        .predictor(
            "models with wrong names",
            """
            models:
              paths:
                - {name: a b, model_path: s3://b/a}
                - {name: _cortex_default, model_path: s3://b/a}
                - {name: a, path: s3://b/a}
                - {name: a}
                - b
            """,
            [
                #"8:18: iris: predictor.models.paths[0].name: "a b" is not a model's name; letters, digits, - and _"#,
                "9:18: iris: predictor.models.paths[1].name: _cortex_default is kept for the model of model_path; choose another name",
                "11:11: iris: predictor.models.paths[3]: model_path is missing; it must be a folder: s3://bucket/folder, or a path",
                "11:18: iris: predictor.models.paths[3].name: the name is taken by the model at 10:18; every model needs a name of its own",
                #"12:11: iris: predictor.models.paths[4]: is the text "b"; it must be a map"#,
            ]
        ),
        .predictor(
            "a cache without a disk cache",
            "models: {dir: s3://b/m, cache_size: 1}",
            [
                "6:41: iris: predictor.models.cache_size: stands without disk_cache_size; give both or neither"
            ]
        ),
        .predictor(
            "a cache larger than the disk's",
            "models: {dir: s3://b/m, cache_size: 3, disk_cache_size: 2}",
            [
                "6:41: iris: predictor.models.cache_size: is 3, over disk_cache_size 2; at most disk_cache_size"
            ]
        ),
        .predictor(
            "a cache of several processes",
            """
            processes_per_replica: 2
            models: {dir: s3://b/m, cache_size: 0, disk_cache_size: 2}
            """,
            [
                "7:41: iris: predictor.models.cache_size: is 0; it must be a whole number at least 1",
                "7:41: iris: predictor.models.cache_size: stands beside processes_per_replica 2; a cache needs processes_per_replica: 1",
            ]
        ),
    ]
}
