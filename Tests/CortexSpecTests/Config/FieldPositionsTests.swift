import CortexSpec
import Testing

@Suite struct FieldPositionsTests {
    private let positions = FieldPositions(
        of: """
            - name: iris
              predictor:
                model_path: s3://bucket/iris/
                models: &models
                  dir:
                  paths:
                    - {name: a, model_path: a/}
                    - name: b
                      path: b/
            - name: other
              predictor: {models: *models}
            """
    )

    @Test(arguments: [
        ("iris", "predictor.model_path", "3:17"),
        ("iris", "predictor.models.paths[0].model_path", "7:33"),
        ("iris", "predictor.models.paths[1].model_path", "9:17"),  // under its other name
        ("iris", "predictor.models.dir", "5:7"),  // a key without a value
        ("iris", "predictor.models.paths[7].model_path", "7:9"),  // the list
        ("iris", "predictor.path", "3:5"),
        ("iris", "compute.cpu", "1:3"),
        ("other", "predictor.models.paths[1].model_path", "9:17"),  // where the alias leads
        ("nobody", "predictor.path", "1:1"),
    ]) func `a field is found by its dotted path`(api: String, field: String, expected: String) throws {
        let name = try #require(APIName(api))
        #expect(self.positions.position(of: field, api: name).description == expected)
    }

    @Test(arguments: ["", "[", "- a", "x: 1"]) func `of a text that is no config file nothing is known`(
        text: String
    ) throws {
        let name = try #require(APIName("iris"))
        #expect(FieldPositions(of: text).position(of: "predictor.path", api: name).description == "1:1")
    }
}
