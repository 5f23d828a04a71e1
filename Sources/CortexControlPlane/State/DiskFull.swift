import Foundation
import GRDB
import NIOCore

/// Tells a full disk, or a used-up quota, in whatever words it comes.
enum DiskFull {
    static func causes(_ error: any Error) -> Bool {
        switch error {
        case ProjectError.diskFull: return true
        case let error as DatabaseError: return error.resultCode == .SQLITE_FULL
        case let error as IOError: return self.isFull(error.errnoCode)
        case let error as POSIXError: return self.isFull(error.code.rawValue)
        case let error as CocoaError:
            if error.code == .fileWriteOutOfSpace { return true }
            return error.underlying.map { self.causes($0) } ?? false
        default: return false
        }
    }

    static func isFull(_ code: Int32) -> Bool { code == ENOSPC || code == EDQUOT }
}
