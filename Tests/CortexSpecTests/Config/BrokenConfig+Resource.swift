extension BrokenConfig {
    /// Configs with problems in names, kinds and sections.
    static let resourceCases: [BrokenConfig] = [
        BrokenConfig(
            "no name",
            """
            - kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                "1:3: item 1: name is missing; lower-case letters, digits and -, a letter first, no - last, at most 42 characters"
            ]
        ),
        BrokenConfig(
            "an empty name",
            """
            - name:
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                "1:3: item 1: name: is empty; lower-case letters, digits and -, a letter first, no - last, at most 42 characters"
            ]
        ),
        BrokenConfig(
            "a list as a name",
            """
            - name: [iris]
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                "1:9: item 1: name: is a list; lower-case letters, digits and -, a letter first, no - last, at most 42 characters"
            ]
        ),
        BrokenConfig(
            "a name in upper case",
            """
            - name: My_API
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                #"1:9: "My_API": name: "My_API" is not an API name; lower-case letters, digits and -, a letter first, no - last, at most 42 characters (did you mean my-api?)"#
            ]
        ),
        BrokenConfig(
            "a name too long",
            """
            - name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                #"1:9: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is not an API name; lower-case letters, digits and -, a letter first, no - last, at most 42 characters"#
            ]
        ),
        BrokenConfig(
            "a name that begins with a dash",
            """
            - name: -iris
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                #"1:9: "-iris": name: "-iris" is not an API name; lower-case letters, digits and -, a letter first, no - last, at most 42 characters"#
            ]
        ),
        BrokenConfig(
            "a name in another script",
            """
            - name: ирис
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                #"1:9: "ирис": name: "ирис" is not an API name; lower-case letters, digits and -, a letter first, no - last, at most 42 characters"#
            ]
        ),
        BrokenConfig(
            "a reserved name",
            """
            - name: metrics
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                "1:9: metrics: name: the endpoint /metrics, which the name stands for, is kept by the server for itself; choose another name, or give networking.endpoint"
            ]
        ),
        BrokenConfig(
            "a name that would act on a terminal",
            "- name: \"a\\e[31m\"\n  kind: RealtimeAPI\n  predictor: {type: python, path: predictor.py}\n",
            [
                #"1:9: "a\u{1b}[31m": name: "a\u{1b}[31m" is not an API name; lower-case letters, digits and -, a letter first, no - last, at most 42 characters"#
            ]
        ),
        BrokenConfig(
            "no kind",
            """
            - name: iris
              predictor: {type: python, path: predictor.py}
            """,
            [
                "1:3: iris: kind is missing; it must be RealtimeAPI or TrafficSplitter"
            ]
        ),
        BrokenConfig(
            "a mistyped kind",
            """
            - name: iris
              kind: RealtimeApi
              predictor: {type: python, path: predictor.py}
            """,
            [
                #"2:9: iris: kind: is "RealtimeApi"; it must be RealtimeAPI or TrafficSplitter (did you mean RealtimeAPI?)"#
            ]
        ),
        BrokenConfig(
            "half a kind",
            """
            - name: iris
              kind: Realtime
              predictor: {type: python, path: predictor.py}
            """,
            [
                #"2:9: iris: kind: is "Realtime"; it must be RealtimeAPI or TrafficSplitter (did you mean RealtimeAPI?)"#
            ]
        ),
        BrokenConfig(
            "a batch API",
            """
            - name: iris
              kind: BatchAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                "2:9: iris: kind: BatchAPI is not deployed here; a RealtimeAPI can be asked item by item"
            ]
        ),
        BrokenConfig(
            "an async API of containers",
            """
            - name: iris
              kind: AsyncAPI
              pod: {containers: []}
            """,
            [
                "2:9: iris: kind: AsyncAPI is not deployed here; a RealtimeAPI answers each request in its own response"
            ]
        ),
        BrokenConfig(
            "a task",
            """
            - name: iris
              kind: TaskAPI
              definition: {path: task.py}
            """,
            [
                "2:9: iris: kind: TaskAPI is not deployed here; run a task as a script, or put it behind a RealtimeAPI"
            ]
        ),
        BrokenConfig(
            "a handler",
            """
            - name: iris
              kind: RealtimeAPI
              handler: {type: python, path: predictor.py}
            """,
            [
                #"3:3: iris: the key "handler" is of another version of Cortex; rename the section to predictor and the class to PythonPredictor, with predict for handle_post"#
            ]
        ),
        BrokenConfig(
            "a pod",
            """
            - name: iris
              kind: RealtimeAPI
              pod: {port: 8080}
            """,
            [
                #"3:3: iris: the key "pod" is of another version of Cortex; containers are not deployed here; name a Python class in predictor"#
            ]
        ),
        BrokenConfig(
            "no predictor",
            """
            - name: iris
              kind: RealtimeAPI
            """,
            [
                "1:3: iris: predictor is missing; it must be a map with type and path"
            ]
        ),
        BrokenConfig(
            "an empty predictor",
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
            """,
            [
                "3:3: iris: predictor: is empty; it must be a map"
            ]
        ),
        BrokenConfig(
            "a text as predictor",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: predictor.py
            """,
            [
                #"3:14: iris: predictor: is the text "predictor.py"; it must be a map"#
            ]
        ),
        .api(
            "a mistyped section",
            "autoscalling: {min_replicas: 1}",
            [
                #"6:3: iris: unknown key "autoscalling" (did you mean autoscaling?)"#
            ]
        ),
        .api(
            "a key of a section at the top",
            "min_replicas: 1",
            [
                #"6:3: iris: unknown key "min_replicas"; known here: autoscaling, compute, kind, monitoring, name, networking, predictor, readiness, update_strategy (min_replicas belongs in autoscaling)"#
            ]
        ),
        .api(
            "a key like no other",
            "zzz: 1",
            [
                #"6:3: iris: unknown key "zzz"; known here: autoscaling, compute, kind, monitoring, name, networking, predictor, readiness, update_strategy"#
            ]
        ),
        .api(
            "a sample that is not there",
            "readiness: {sample: nothing.json}",
            [
                #"6:23: iris: readiness.sample: there is no file "nothing.json"; it must be a file of the project, relative to cortex.yaml"#
            ]
        ),
        .api(
            "monitoring without a type",
            "monitoring: {key: label}",
            [
                "6:15: iris: monitoring: model_type is missing; it must be classification or regression"
            ]
        ),
    ]
}
