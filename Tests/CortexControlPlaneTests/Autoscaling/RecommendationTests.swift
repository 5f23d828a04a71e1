import CortexControlPlane
import CortexSpec
import Testing

@Suite struct RecommendationTests {
    private func recommendation(_ load: Double, _ current: Int, _ policy: AutoscalerPolicy) -> Recommendation {
        Recommendation(LoadWindow.Load(mean: load, isIdle: load == 0), current: current, policy)
    }

    @Test(arguments: [
        (load: 0.0, current: 1, expected: 1, limit: Recommendation.Limit.minReplicas),  // idle: the minimum
        (4, 4, 4, nil),  // exactly at the target
        (4.1, 4, 4, .upscaleTolerance),  // 4.1 < 4 × 1.05
        (4.3, 4, 5, nil),  // a part of a replica rounds up
        (8, 4, 6, .maxUpscaleFactor),  // ⌈4 × 1.5⌉
        (8, 1, 2, .maxUpscaleFactor),  // ⌈1 × 1.5⌉
        (80, 3, 5, .maxUpscaleFactor),  // ⌈3 × 1.5⌉
        (20.9, 20, 20, .upscaleTolerance),
        (21.5, 20, 22, nil),
        (19.1, 20, 20, .downscaleTolerance),  // 19.1 > 20 × 0.95
        (18.5, 20, 19, nil),
        (0.5, 20, 15, .maxDownscaleFactor),  // ⌈20 × 0.75⌉
        (1, 3, 2, .maxDownscaleFactor),  // ⌈2.25⌉ = 3, and a step of one is always possible
        (0.2, 2, 1, nil),
        (900, 90, 100, .maxReplicas),
    ])
    func `follows the defaults`(load: Double, current: Int, expected: Int, limit: Recommendation.Limit?) {
        let found = self.recommendation(load, current, .with())
        #expect(found.replicas == expected)
        #expect(found.limit == limit)
    }

    @Test func `a target of less than a request makes room in advance`() {
        let policy = AutoscalerPolicy.with { $0.targetReplicaConcurrency = 1.6 }
        #expect(self.recommendation(8, 5, policy).replicas == 5)
        #expect(self.recommendation(8, 4, policy).replicas == 5)
    }

    @Test func `a rounding error is no reason for a replica`() {
        let policy = AutoscalerPolicy.with {
            $0.targetReplicaConcurrency = 0.1
            $0.upscaleTolerance = 0
        }
        // 1.1 / 0.1 is 11.000000000000002.
        #expect(self.recommendation(1.1, 10, policy).replicas == 11)
    }

    @Test func `without a target it is what a replica can run at once`() {
        let policy = AutoscalerPolicy(.init(), slots: 8)
        #expect(self.recommendation(16, 2, policy).replicas == 2)
    }

    @Test func `only an API without any request is recommended to have no replica`() {
        let policy = AutoscalerPolicy.with {
            $0.minReplicas = 0
            $0.initReplicas = 0
        }
        #expect(self.recommendation(0, 1, policy).replicas == 0)
        let unseen = LoadWindow.Load(mean: 0, isIdle: false)
        #expect(Recommendation(unseen, current: 1, policy).replicas == 1)
        #expect(Recommendation(unseen, current: 0, policy).replicas == 1)
        // One after the other.
        #expect(self.recommendation(0, 2, policy).replicas == 1)
    }

    @Test func `no number is too large`() {
        let policy = AutoscalerPolicy.with {
            $0.targetReplicaConcurrency = .leastNormalMagnitude
            $0.maxReplicas = .max
            $0.maxUpscaleFactor = .greatestFiniteMagnitude
        }
        #expect(self.recommendation(1e9, 1, policy).replicas == 1_000_000_000)
    }

    @Test(arguments: 1...200) func `more load never means fewer replicas`(seed: Int) {
        var numbers = SeededNumbers(seed: seed)
        let policy = AutoscalerPolicy.random(&numbers)
        let current = policy.anyCount(&numbers)
        let loads = (0..<200).map { _ in Double.random(in: 0...100, using: &numbers) }.sorted()
        let counts = loads.map { self.recommendation($0, current, policy).replicas }
        #expect(counts == counts.sorted())
    }

    @Test(arguments: 1...200) func `stays within bounds, factors and tolerances`(seed: Int) {
        var numbers = SeededNumbers(seed: seed)
        let policy = AutoscalerPolicy.random(&numbers)
        for _ in 0..<200 {
            let current = policy.anyCount(&numbers)
            let load = Double.random(in: 0...100, using: &numbers)
            let found = self.recommendation(load, current, policy)
            let count = Double(current)
            #expect(policy.bounds.contains(found.replicas))
            #expect(found.replicas >= min(current - 1, Int((count * policy.maxDownscaleFactor).rounded(.up))))
            #expect(found.replicas <= max(current + 1, Int((count * policy.maxUpscaleFactor).rounded(.up))))
            let tolerated = count * (1 - policy.downscaleTolerance)..<count * (1 + policy.upscaleTolerance)
            if current > 0, found.wish != tolerated.lowerBound, tolerated.contains(found.wish) {
                #expect(found.replicas == current)
            }
        }
    }
}
