/// Saves of one moment: which files, and since when.
struct ProjectChange: Hashable, Sendable {
    /// Relative to the project, in order.
    var paths: [String]
    /// When the first of them was noticed.
    var began: ContinuousClock.Instant
}

/// Turns looks at a project into changes: one for all that an editor, or a checkout, writes at a time.
///
/// A change is told once nothing has moved for ``quiet``, and after ``patience`` even if something still does.
enum ChangeState: Sendable {
    /// As it was when last told. Next: `moving`.
    case still(ProjectSnapshot)
    /// Different from `base`; last seen to move at `moved`. Next: `still`, told or (where all is as before) not.
    case moving(
        base: ProjectSnapshot,
        seen: ProjectSnapshot,
        began: ContinuousClock.Instant,
        moved: ContinuousClock.Instant
    )

    static let quiet = Duration.milliseconds(120)
    static let patience = Duration.seconds(2)

    /// What is to be told now; nil where there is nothing, or not yet.
    mutating func saw(_ snapshot: ProjectSnapshot, at now: ContinuousClock.Instant) -> ProjectChange? {
        switch self {
        case .still(let base):
            if snapshot != base { self = .moving(base: base, seen: snapshot, began: now, moved: now) }
            return nil
        case .moving(let base, let seen, let began, let moved):
            guard snapshot != base else {
                // A file that came and went, such as an editor's own.
                self = .still(base)
                return nil
            }
            let isStill = snapshot == seen && now - moved >= Self.quiet
            guard isStill || now - began >= Self.patience else {
                self = .moving(base: base, seen: snapshot, began: began, moved: snapshot == seen ? moved : now)
                return nil
            }
            self = .still(snapshot)
            return ProjectChange(paths: base.changes(to: snapshot), began: began)
        }
    }

    /// How long until the next look is worth it.
    /// - Parameter cost: What a look takes: they are to be no more than a fiftieth of a core.
    func pause(cost: Duration) -> Duration {
        switch self {
        case .still: max(.milliseconds(200), cost * 50)
        case .moving: max(.milliseconds(40), cost)
        }
    }
}
