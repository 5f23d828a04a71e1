import Testing

@testable import CortexCommands

@Suite struct ChangeStateTests {
    private let start = ContinuousClock.now

    /// A project of one file with so many bytes.
    private static func project(_ size: Int64, trouble: String? = nil) -> ProjectSnapshot {
        let stamp = ProjectSnapshot.Stamp(size: size, seconds: 0, nanoseconds: 0, inode: 1, mode: 0o644)
        return ProjectSnapshot(stamps: ["a.py": stamp], trouble: trouble)
    }

    /// What each look at a time (in milliseconds) tells.
    private func changes(_ looks: [(time: Int, project: ProjectSnapshot)]) -> [ProjectChange?] {
        var state = ChangeState.still(Self.project(1))
        return looks.map { state.saw($0.project, at: self.start + .milliseconds($0.time)) }
    }

    @Test func `a project that stands still has no changes`() {
        #expect(self.changes([(0, Self.project(1)), (1000, Self.project(1))]) == [nil, nil])
    }

    @Test func `a save is told once nothing moves any more`() {
        let told = ProjectChange(paths: ["a.py"], began: self.start + .milliseconds(200))
        let looks = [
            (200, Self.project(2)), (240, Self.project(2)), (320, Self.project(2)), (360, Self.project(2)),
        ]
        #expect(self.changes(looks) == [nil, nil, told, nil])
    }

    @Test func `several writes of one save are one change`() {
        let looks = [
            (0, Self.project(0)), (100, Self.project(5)), (200, Self.project(5)), (300, Self.project(5)),
        ]
        #expect(self.changes(looks) == [nil, nil, nil, ProjectChange(paths: ["a.py"], began: self.start)])
    }

    @Test func `a file that came and went is no change`() {
        let looks = [(0, Self.project(2)), (50, Self.project(1)), (500, Self.project(1))]
        #expect(self.changes(looks) == [nil, nil, nil])
    }

    @Test func `what never stands still is told after a while`() {
        let looks = (0...21).map { (time: $0 * 100, project: Self.project(Int64($0) + 2)) }
        let changes = self.changes(looks)
        #expect(changes[20] == ProjectChange(paths: ["a.py"], began: self.start))
        #expect(changes.compactMap(\.self).count == 1)
    }

    @Test func `a folder that can no longer be packed is a change of no file`() {
        let broken = Self.project(1, trouble: "a link leads nowhere")
        #expect(self.changes([(0, broken), (150, broken)]) == [nil, ProjectChange(paths: [], began: self.start)])
    }

    @Test func `looks at a large project are rarer`() {
        let still = ChangeState.still(Self.project(1))
        #expect(still.pause(cost: .milliseconds(1)) == .milliseconds(200))
        #expect(still.pause(cost: .milliseconds(20)) == .seconds(1))
    }
}
