import CortexSpec
import Testing

@Suite struct ConfigFileTests {
    @Test func `a short file gets every default`() throws {
        let config = try Sample.parse(
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: python
                path: ./predictor.py
            """
        )
        let expected = try #require(APIName("iris"))
        #expect(
            config.apis == [
                APISpec(
                    name: expected,
                    predictor: PredictorSpec(path: "predictor.py"),
                    networking: NetworkingSpec(endpoint: "/iris")
                )
            ]
        )
        #expect(config.warnings.isEmpty)
        #expect(config.splitters.isEmpty)
    }
}
