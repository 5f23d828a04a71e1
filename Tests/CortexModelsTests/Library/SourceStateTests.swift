import Testing

@testable import CortexModels

@Suite struct SourceStateTests {
    static let now: Int64 = 1_000_000_000
    static let pace = SourceState.Pace(poll: .seconds(10), settle: .seconds(1), isLocal: false)

    private var state = SourceState(layout: .model, pace: SourceStateTests.pace)

    /// `1/a=5` is an object of five bytes.
    static func objects(_ texts: [String], modified: Int64 = 0) throws -> [StoredObject] {
        try texts.map { text in
            let parts = text.split(separator: "=")
            return try StoredObject(path: String(parts[0]), size: try #require(Int64(parts[1])), modified: modified)
        }
    }

    private mutating func list(_ texts: String..., modified: Int64 = 0) throws -> SourceState.Step {
        let objects = try Self.objects(texts, modified: modified)
        return self.state.listed(objects, now: Self.now, cost: .zero)
    }

    private var adopted: [String] { self.state.snapshot.objects.map { "\($0.path)=\($0.size)" } }

    @Test mutating func `what is old is adopted at first sight`() throws {
        let step = try self.list("1/a=5")
        #expect(step == SourceState.Step(hasChanged: true, wait: .seconds(9)...Duration.seconds(11)))
        #expect(self.adopted == ["1/a=5"])
    }

    @Test(arguments: [SourceStateTests.now - 1000, SourceStateTests.now + 3_600_000])
    mutating func `what is fresh, or of the future, is listed again first`(modified: Int64) throws {
        var step = try self.list("1/a=5", modified: modified)
        #expect(step == SourceState.Step(hasChanged: false, wait: .seconds(1)...Duration.seconds(1)))
        #expect(!self.state.snapshot.isKnown && self.state.snapshot.isChanging)
        step = try self.list("1/a=7", modified: modified)
        #expect(!step.hasChanged)
        step = try self.list("1/a=7", modified: modified)
        #expect(step.hasChanged && self.adopted == ["1/a=7"] && !self.state.snapshot.isChanging)
    }

    @Test mutating func `nothing is believed at the second look`() throws {
        #expect(try !self.list().hasChanged)
        #expect(try self.list().hasChanged)
        #expect(self.state.snapshot.isKnown && self.adopted.isEmpty)
    }

    @Test mutating func `a version that grows does not hold up another`() throws {
        _ = try self.list("1/a=5")
        #expect(try !self.list("1/a=5", "2/a=1", "3/a=1").hasChanged)
        let step = try self.list("1/a=5", "2/a=1", "3/a=2")
        #expect(step == SourceState.Step(hasChanged: true, wait: .seconds(1)...Duration.seconds(1)))
        #expect(self.adopted == ["1/a=5", "2/a=1"])
        #expect(try !self.list("1/a=5", "2/a=1", "3/a=3").hasChanged)
        #expect(try self.list("1/a=5", "2/a=1", "3/a=3").hasChanged)
        #expect(self.adopted == ["1/a=5", "2/a=1", "3/a=3"])
    }

    @Test mutating func `a version that is rewritten serves as it was until it stands still`() throws {
        _ = try self.list("1/a=5", "1/b=5")
        _ = try self.list("1/a=6", "1/b=5")
        #expect(try !self.list("1/a=6", "1/b=6").hasChanged)
        #expect(self.adopted == ["1/a=5", "1/b=5"])
        #expect(try self.list("1/a=6", "1/b=6").hasChanged)
        #expect(self.adopted == ["1/a=6", "1/b=6"])
    }

    @Test mutating func `a removal takes two listings as well`() throws {
        _ = try self.list("1/a=5", "2/a=5")
        #expect(try !self.list("1/a=5").hasChanged)
        #expect(try self.list("1/a=5").hasChanged)
        #expect(self.adopted == ["1/a=5"])
        _ = try self.list()
        #expect(try self.list().hasChanged && self.adopted.isEmpty)
    }

    @Test mutating func `a change that is taken back changes nothing`() throws {
        _ = try self.list("1/a=5")
        _ = try self.list("1/a=6")
        let step = try self.list("1/a=5")
        #expect(step == SourceState.Step(hasChanged: false, wait: .seconds(9)...Duration.seconds(11)))
        #expect(self.state.snapshot.revision == 1)
    }

    @Test mutating func `failures leave what serves, and wait longer each time`() throws {
        _ = try self.list("1/a=5")
        var waits: [ClosedRange<Duration>] = []
        for _ in 1...6 { waits.append(self.state.failed(.unreachable("gone"), cost: .zero).wait) }
        #expect(waits.map(\.lowerBound) == Array(repeating: .seconds(10), count: 6))
        #expect(waits.map(\.upperBound) == [20, 40, 80, 120, 120, 120].map { Duration.seconds($0) })
        #expect(self.adopted == ["1/a=5"] && self.state.snapshot.error == .unreachable("gone"))
        _ = try self.list("1/a=5")
        #expect(self.state.snapshot.error == nil)
        #expect(self.state.failed(.unreachable("gone"), cost: .zero).wait == .seconds(10)...Duration.seconds(20))
    }

    @Test(arguments: [(Duration.milliseconds(1), 2), (.milliseconds(50), 5), (.seconds(1), 10)])
    func `a folder of this machine that fails is looked at as often as ever`(cost: Duration, interval: Int) throws {
        var state = SourceState(
            layout: .model,
            pace: SourceState.Pace(poll: .seconds(10), settle: .seconds(1), isLocal: true)
        )
        for _ in 1...5 {
            let wait = state.failed(.notFound("gone"), cost: cost).wait
            #expect(wait == .milliseconds(interval * 900)...Duration.milliseconds(interval * 1100))
        }
    }

    @Test mutating func `a failure between two equal listings does not undo the first`() throws {
        _ = try self.list("1/a=5")
        _ = try self.list("1/a=6")
        _ = self.state.failed(.unreachable("gone"), cost: .zero)
        #expect(try self.list("1/a=6").hasChanged)
    }

    @Test mutating func `what an earlier server knew stands until the source says otherwise twice`() throws {
        self.state.restored(try Self.objects(["1/a=5"]))
        _ = self.state.failed(.unreachable("gone"), cost: .zero)
        #expect(self.adopted == ["1/a=5"])
        #expect(try !self.list("2/a=5").hasChanged)
        #expect(try self.list("2/a=5").hasChanged)
        #expect(self.adopted == ["2/a=5"])
        self.state.restored(try Self.objects(["9/a=5"]))
        #expect(self.adopted == ["2/a=5"])
    }

    @Test mutating func `an upload without end is looked at less and less`() throws {
        _ = try self.list("1/a=5")
        var waits: [Duration] = []
        for size in 6...25 { waits.append(try self.list("1/a=\(size)").wait.upperBound) }
        #expect(waits.prefix(4).allSatisfy { $0 == .seconds(1) })
        #expect(waits.last == .seconds(10))
        #expect(waits == waits.sorted())
    }

    @Test(arguments: [
        (Duration.milliseconds(1), Duration.seconds(2)),
        (.milliseconds(50), .seconds(5)),
        (.milliseconds(500), .seconds(10)),
    ])
    func `folders are listed as often as they cost little`(cost: Duration, interval: Duration) {
        let pace = SourceState.Pace(poll: .seconds(10), settle: .seconds(1), isLocal: true)
        #expect(pace.interval(cost: cost) == interval)
        #expect(Self.pace.interval(cost: cost) == .seconds(10))
    }
}

@Suite struct SourceLayoutTests {
    @Test(arguments: [
        // A model without versions is one upload.
        (["a=1", "b=1"], ["a=2", "b=1"], ["a=2", "b=2"], ["a=1", "b=1"]),
        // From one layout to the other: all or nothing.
        (["a=1"], ["1/a=1", "2/a=1"], ["1/a=1", "2/a=2"], ["a=1"]),
        (["a=1"], ["a=1", "1/a=1"], ["1/a=1"], ["a=1"]),
        (["1/a=1"], ["1/a=1", "README=1"], ["1/a=1", "README=2"], ["1/a=1"]),
        // Half removed.
        (["1/a=1", "1/b=1"], ["1/b=1"], [], ["1/a=1", "1/b=1"]),
        // Numbers that are no versions.
        (["01/a=1"], ["01/a=2", "1/a=1"], ["01/a=3", "1/a=1"], ["01/a=1"]),
    ])
    func `takes what stands still of a model`(
        adopted: [String],
        seen: [String],
        listed: [String],
        expected: [String]
    ) throws {
        let settled = SourceLayout.model.settled(
            adopted: try SourceStateTests.objects(adopted),
            seen: try SourceStateTests.objects(seen),
            listed: try SourceStateTests.objects(listed)
        )
        #expect(settled.map { "\($0.path)=\($0.size)" } == expected)
    }

    @Test func `what is flawed beside versions holds up none of them`() throws {
        let bad = try StoredObject(path: "bad", flaw: "the link bad leads to nothing")
        let settled = SourceLayout.model.settled(
            adopted: try SourceStateTests.objects(["1/a=1"]),
            seen: try SourceStateTests.objects(["1/a=1", "2/a=1", "3/a=1"]) + [bad],
            listed: try SourceStateTests.objects(["1/a=1", "2/a=1", "3/a=2"]) + [bad]
        )
        #expect(settled.map(\.path) == ["1/a", "2/a", "bad"])
    }

    @Test func `models of one folder do not wait for each other`() throws {
        let settled = SourceLayout.models.settled(
            adopted: try SourceStateTests.objects(["app/1/a=1", "apple/1/a=1", "gone/1/a=1"]),
            seen: try SourceStateTests.objects(["app/1/a=2", "apple/1/a=2", "new/a=1", "new/b=1", "note=1"]),
            listed: try SourceStateTests.objects(["app/1/a=2", "apple/1/a=3", "new/a=1", "new/b=1", "note=2"])
        )
        #expect(
            settled.map { "\($0.path)=\($0.size)" } == ["app/1/a=2", "apple/1/a=1", "new/a=1", "new/b=1"]
        )
    }
}
