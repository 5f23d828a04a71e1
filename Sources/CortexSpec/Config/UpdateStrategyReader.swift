/// Reads the `update_strategy` section.
enum UpdateStrategyReader {
    static func read(of resource: Section) -> UpdateStrategySpec {
        guard let section = resource.section("update_strategy", allowsNull: true) else { return UpdateStrategySpec() }
        var spec = UpdateStrategySpec()
        spec.maxSurge = Self.amount("max_surge", of: section) ?? spec.maxSurge
        spec.maxUnavailable = Self.amount("max_unavailable", of: section) ?? spec.maxUnavailable
        section.finish()
        if spec.surge?.isZero == true, spec.unavailable?.isZero == true {
            section.fail(
                "max_unavailable",
                "is 0 as max_surge is",
                allowed: "one of the two must be over 0, or no update could begin"
            )
        }
        return spec
    }

    private static func amount(_ key: String, of section: Section) -> String? {
        let allowed = "it must be a whole number, or a percentage from 0% to 100%"
        section.shape?.note(key, .countOrPercentage, allowed: allowed)
        guard let scalar = section.scalar(key, allowed: allowed) else { return nil }
        guard let amount = CountOrPercentage(scalar.text) else {
            section.fail(key, "is \(scalar.kind)", allowed: allowed)
            return nil
        }
        return amount.description
    }
}
