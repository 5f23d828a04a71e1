extension BrokenConfig {
    /// Configs with problems in the file as a whole.
    static let fileCases: [BrokenConfig] = [
        BrokenConfig(
            "an empty file",
            "",
            [
                "1:1: the file is empty; it must be a list of APIs, each with name, kind and predictor"
            ]
        ),
        BrokenConfig(
            "only a comment",
            "# nothing",
            [
                "1:1: the file is empty; it must be a list of APIs, each with name, kind and predictor"
            ]
        ),
        BrokenConfig(
            "an empty list",
            "[]",
            [
                "1:1: the file holds no API; it must be a list of APIs, each with name, kind and predictor"
            ]
        ),
        BrokenConfig(
            "a null document",
            "---",
            [
                "1:1: the file holds no API; it must be a list of APIs, each with name, kind and predictor"
            ]
        ),
        BrokenConfig(
            "a text",
            "iris",
            [
                #"1:1: the file is the text "iris"; it must be a list of APIs, each with name, kind and predictor"#
            ]
        ),
        BrokenConfig(
            "a list of texts",
            """
            - iris
            - text
            """,
            [
                #"1:3: item 1: is the text "iris"; it must be a map with name, kind and predictor"#,
                #"2:3: item 2: is the text "text"; it must be a map with name, kind and predictor"#,
            ]
        ),
        BrokenConfig(
            "a tab as indentation",
            "- name: iris\n\tkind: RealtimeAPI\n",
            [
                "2:1: not valid YAML: a tab stands where only spaces may; indent with spaces"
            ]
        ),
        BrokenConfig(
            "a quote that is not closed",
            """
            - name: "iris
              kind: RealtimeAPI
            """,
            [
                "1:9: not valid YAML: found unexpected end of stream while scanning a quoted scalar"
            ]
        ),
        BrokenConfig(
            "a bracket that is not closed",
            """
            - name: iris
              predictor: {type: python
            """,
            [
                "2:14: not valid YAML: did not find expected ',' or '}' while parsing a flow mapping"
            ]
        ),
        BrokenConfig(
            "a key without a value's colon",
            """
            - name: iris
              kind RealtimeAPI
              predictor:
            """,
            [
                "3:3: not valid YAML: could not find expected ':' while scanning a simple key that begins at 2:3"
            ]
        ),
        BrokenConfig(
            "a colon too many",
            "- name: iris: flower",
            [
                #"1:13: not valid YAML: mapping values are not allowed in this context (is the line indented too far, or a text with ": " in it not in quotes?)"#
            ]
        ),
        BrokenConfig(
            "wrong indentation",
            """
            - name: iris
                kind: RealtimeAPI
            """,
            [
                #"2:9: not valid YAML: mapping values are not allowed in this context (is the line indented too far, or a text with ": " in it not in quotes?)"#
            ]
        ),
        BrokenConfig(
            "a value that begins with @",
            "- name: @iris",
            [
                "1:9: not valid YAML: a value cannot begin with @; put it in quotes"
            ]
        ),
        BrokenConfig(
            "a control character",
            "- name: iris\n  kind: \u{7}\n",
            [
                "2:9: the character U+0007 is not allowed in YAML"
            ]
        ),
        BrokenConfig(
            "an unknown alias",
            """
            - name: iris
              kind: *kind
            """,
            [
                "2:9: not valid YAML: found undefined alias"
            ]
        ),
        BrokenConfig(
            "two documents",
            """
            - name: a
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            ---
            - name: b
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                "5:1: a second YAML document begins here; put all APIs in one list and remove the ---"
            ]
        ),
        BrokenConfig(
            "a duplicate key at the top",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
              name: rose
            """,
            [
                #"4:3: rose: name: the key "name" is given twice, first at 1:3; remove one of them"#
            ]
        ),
        BrokenConfig(
            "a nested duplicate key with CRLF",
            "- name: iris\r\n  kind: RealtimeAPI\r\n  predictor:\r\n    type: python\r\n    path: predictor.py\r\n    path: other.py\r\n",
            [
                #"6:5: iris: predictor.path: the key "path" is given twice, first at 5:5; remove one of them"#,
                #"6:11: iris: predictor.path: there is no file "other.py"; it must be a file of the project, relative to cortex.yaml"#,
            ]
        ),
        BrokenConfig(
            "a key given three times, quotes or not",
            """
            - name: iris
              kind: RealtimeAPI
              "kind": RealtimeAPI
              kind: BatchAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                #"3:3: iris: kind: the key "kind" is given twice, first at 2:3; remove one of them"#,
                #"4:3: iris: kind: the key "kind" is given twice, first at 2:3; remove one of them"#,
                "4:9: iris: kind: BatchAPI is not deployed here; a RealtimeAPI can be asked item by item",
            ]
        ),
        BrokenConfig(
            "duplicate keys in the config",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py, config: {a: {x: 1, x: 2}}}
            """,
            [
                #"3:68: iris: predictor.config.a.x: the key "x" is given twice, first at 3:62; remove one of them"#
            ]
        ),
        BrokenConfig(
            "a custom tag",
            """
            - name: !secret iris
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                #"1:9: iris: name: the tag "!secret" is not supported; remove it"#
            ]
        ),
        BrokenConfig(
            "a BOM before a broken file",
            "\u{feff}- name: Iris\n  kind: RealtimeAPI\n  predictor: {type: python, path: predictor.py}\n",
            [
                #"1:9: "Iris": name: "Iris" is not an API name; lower-case letters, digits and -, a letter first, no - last, at most 42 characters (did you mean iris?)"#
            ]
        ),
        BrokenConfig(
            "a merge of a text",
            """
            - name: iris
              <<: text
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                #"2:3: iris: << is the text "text"; it must name a map, such as *defaults"#
            ]
        ),
        BrokenConfig(
            "a list as a key",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
              ? [a, b]
              : 1
            """,
            [
                "4:5: iris: a list or map cannot be a key; keys must be text"
            ]
        ),
        BrokenConfig(
            "a number as a key",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
              1: 1
            """,
            [
                #"4:3: iris: unknown key "1"; known here: autoscaling, compute, kind, monitoring, name, networking, predictor, readiness, update_strategy"#
            ]
        ),
        BrokenConfig(
            "two APIs of one name",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            - name: iris
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            """,
            [
                "4:9: iris: name: the name is taken by the API at 1:9; every API needs a name of its own"
            ]
        ),
        BrokenConfig(
            "two APIs of one endpoint",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            - name: rose
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
              networking: {endpoint: iris/}
            """,
            [
                "7:26: rose: networking.endpoint: the endpoint /iris is taken by iris at 1:9; every API needs an endpoint of its own"
            ]
        ),
        BrokenConfig(
            "an endpoint that is another's route",
            """
            - name: iris
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
            - name: rose
              kind: RealtimeAPI
              predictor: {type: python, path: predictor.py}
              networking: {endpoint: /iris/predict}
            """,
            [
                "7:26: rose: networking.endpoint: the endpoint /iris/predict is a route of iris at 1:9; choose another endpoint"
            ]
        ),
        BrokenConfig(
            "one mapping, and a wrong key in it",
            """
            name: iris
            kind: RealtimeAPI
            predictor: {type: python, path: predictor.py}
            kindness: 1
            """,
            [
                #"4:1: iris: unknown key "kindness"; known here: autoscaling, compute, kind, monitoring, name, networking, predictor, readiness, update_strategy"#
            ]
        ),
    ]
}
