import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where the builds of one environment are, `environments/<key>`: the one that is whole, and one that is being made.
///
/// A build stays where it began, since what pip and conda install cannot be moved. What is put in place when it is whole, at
/// once, is the link to it.
struct EnvironmentPlace: Sendable {
    let key: EnvironmentKey
    let path: String
    private let parent: String

    private static let link = "whole"

    init(key: EnvironmentKey, in environments: String) {
        self.key = key
        self.parent = environments
        self.path = "\(environments)/\(key)"
    }

    /// The environment that is there, which stays as long as the value lives; nil where there is none that works.
    var environment: PythonEnvironment? {
        guard let lease = FolderLease(self.path), let build = self.wholeBuild else { return nil }
        let environment = PythonEnvironment(key: self.key, build: "\(self.path)/\(build)", lease: lease)
        return ProcessEnvironment.isExecutable(environment.python) ? environment : nil
    }

    private var wholeBuild: String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "\(self.path)/\(Self.link)")
    }

    /// Makes `build`, which is in this place, the one that is found from now on.
    func publish(_ build: BuildFolder) throws -> PythonEnvironment {
        let old = self.wholeBuild
        let link = "\(self.path)/\(Self.link)"
        guard let lease = FolderLease(self.path) else { throw EnvironmentError.system("lock", self.path) }
        try build.keep()
        guard symlink(build.name, "\(build.path)/\(Self.link)") == 0, rename("\(build.path)/\(Self.link)", link) == 0
        else { throw EnvironmentError.system("create", link) }
        // It did not work, or nobody would have built anew.
        if let old { try? FileManager.default.removeItem(atPath: "\(self.path)/\(old)") }
        return PythonEnvironment(key: self.key, build: build.path, lease: lease)
    }

    /// Keeps all others from building here, in this process and in others, until it is let go of.
    ///
    /// - Parameter waiting: Called once, where another has to be waited for.
    func claim(waiting: () -> Void) async throws -> EnvironmentClaim {
        var isToldOf = false
        while true {
            if let claim = try EnvironmentClaim(self) { return claim }
            if !isToldOf { waiting() }
            isToldOf = true
            // Another process tells nobody when it is done.
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Removes what builds of processes that are no more left here; all of it where none was finished.
    func removeUnfinished() {
        guard let claim = try? EnvironmentClaim(self) else { return }
        try? BuildFolder.removeLeftovers(in: self.path, except: self.wholeBuild)
        claim.end()
    }

    /// Takes the place away where there is no build in it, and nobody else wants to make one.
    fileprivate func removeIfEmpty() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? []
        guard !names.contains(where: { $0 == Self.link || BuildFolder.isBuild($0) }) else { return }
        _ = try? Removal.take(self.path, into: self.parent)
    }
}

/// The right to build an environment.
final class EnvironmentClaim: Sendable {
    private let place: EnvironmentPlace
    /// Keeps the place from being taken away, and the lock with it; gone with the claim.
    private let lease: Mutex<FolderLease?>
    private let descriptor: Int32

    /// Makes the place where it is not there; nil while another has the claim.
    init?(_ place: EnvironmentPlace) throws {
        guard mkdir(place.path, 0o700) == 0 || errno == EEXIST else {
            throw EnvironmentError.system("create", place.path)
        }
        // Nil where it was taken away this very moment.
        guard let lease = FolderLease(place.path) else { return nil }
        let file = "\(place.path)/lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw EnvironmentError.system("create", file) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            _ = close(descriptor)
            return nil
        }
        self.place = place
        self.lease = Mutex(lease)
        self.descriptor = descriptor
    }

    deinit {
        // Not by closing alone: a child that is being started has a copy of the descriptor for a moment.
        _ = flock(self.descriptor, LOCK_UN)
        _ = close(self.descriptor)
    }

    /// To be called last: takes the place away where nothing was made in it.
    func end() {
        self.lease.withLock { $0 = nil }
        self.place.removeIfEmpty()
    }
}
