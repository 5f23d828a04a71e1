import CortexSpec
import Testing

@Suite(.timeLimit(.minutes(1))) struct BrokenConfigTests {
    @Test(arguments: BrokenConfig.all)
    func `every problem is told with its place`(config: BrokenConfig) {
        #expect(Sample.problems(config.text) == config.lines.map { "cortex.yaml:" + $0 })
    }

    @Test func `twelve problems are told at once, in order`() {
        let text = """
            - name: Iris
              kind: RealtimeApi
              predictor:
                type: pyton
                path: nothing.py
                procesess_per_replica: 2
                threads_per_process: "4"
                env: {CORTEX_HOME: /tmp}
              compute:
                cpu: 200x
                mem: 1gb
              networking: {endpoint: /metrics}
              autoscaling:
                window: 1 min
              update_strategy: {max_surge: 200%}
            """
        let lines = Sample.problems(text).compactMap { $0.split(separator: ":").dropFirst().first }.compactMap {
            Int($0)
        }
        #expect(lines == [1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 14, 15])
    }

    @Test func `with every feature on, rules between keys are checked`() {
        let text = """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: tensorflow
                path: predictor.py
                processes_per_replica: 3
                server_side_batching: {max_batch_size: 4, batch_interval: 10ms}
              compute: {inf: 1}
            """
        #expect(
            Sample.problems(text, features: .all) == [
                "cortex.yaml:4:11: iris: predictor.type: tensorflow needs a model; give model_path or models",
                "cortex.yaml:6:28: iris: predictor.processes_per_replica: is 3 with compute.inf 1; it must be 1, 2 or 4",
                "cortex.yaml:7:44: iris: predictor.server_side_batching.max_batch_size: is 4, and only 1 requests run at once; "
                    + "at most threads_per_process",
            ]
        )
    }
}
