extension BrokenConfig {
    /// Configs with problems in traffic splitters.
    static let splitterCases: [BrokenConfig] = [
        BrokenConfig(
            "a splitter without APIs",
            """
            - name: split
              kind: TrafficSplitter
            """,
            [
                "1:3: split: apis is missing; it must be a list of name and weight"
            ]
        ),
        BrokenConfig(
            "weights that do not add up",
            """
            - name: split
              kind: TrafficSplitter
              apis: [{name: a, weight: 50}, {name: b, weight: 40}]
            """,
            [
                "3:9: split: apis: the weights add up to 90; they must add up to 100"
            ]
        ),
        BrokenConfig(
            "one API twice",
            """
            - name: split
              kind: TrafficSplitter
              apis: [{name: a, weight: 50}, {name: a, weight: 50}]
            """,
            [
                "3:40: split: apis[1].name: a is named at 3:17 too; name each API once"
            ]
        ),
        BrokenConfig(
            "a negative weight",
            """
            - name: split
              kind: TrafficSplitter
              apis: [{name: a, weight: -1}, {name: b}]
            """,
            [
                "3:28: split: apis[0].weight: is -1; it must be a whole number from 0 to 100",
                "3:33: split: apis[1]: weight is missing; it must be a whole number from 0 to 100",
            ]
        ),
        BrokenConfig(
            "two shadows",
            """
            - name: split
              kind: TrafficSplitter
              apis: [{name: a, weight: 100}, {name: b, weight: 10, shadow: true}, {name: c, weight: 10, shadow: true}]
            """,
            [
                "3:101: split: apis[2].shadow: is the second shadow; at most one API may be a shadow"
            ]
        ),
        BrokenConfig(
            "a splitter behind a splitter, and one behind itself",
            """
            - name: one
              kind: TrafficSplitter
              apis: [{name: two, weight: 100}]
            - name: two
              kind: TrafficSplitter
              apis: [{name: iris, weight: 50}, {name: two, weight: 50}]
            """,
            [
                "3:17: one: apis[0].name: two is a TrafficSplitter; it must be the name of a RealtimeAPI",
                "6:43: two: apis[1].name: two is this splitter; it must be the name of a RealtimeAPI",
            ]
        ),
        BrokenConfig(
            "limits of a splitter",
            """
            - name: split
              kind: TrafficSplitter
              networking: {timeout: 1m, max_body_size: 1Mi}
              apis: [{name: a, weight: 100}]
            """,
            [
                "3:25: split: networking.timeout: is not a splitter's to set; set it at the APIs that the splitter names",
                "3:44: split: networking.max_body_size: is not a splitter's to set; set it at the APIs that the splitter names",
            ]
        ),
        BrokenConfig(
            "a predictor in a splitter",
            """
            - name: split
              kind: TrafficSplitter
              predictor: {}
              apis: [{name: a, weight: 100}]
            """,
            [
                #"3:3: split: unknown key "predictor"; known here: apis, kind, name, networking"#
            ]
        ),
    ]
}
