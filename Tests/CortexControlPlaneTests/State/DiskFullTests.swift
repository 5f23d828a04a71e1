import Foundation
import NIOCore
import Testing

@testable import CortexControlPlane

@Suite struct DiskFullTests {
    @Test(arguments: [(ENOSPC, true), (EDQUOT, true), (EACCES, false), (EIO, false)])
    func `no room is told from other failures, whoever was refused`(code: Int32, isFull: Bool) throws {
        errno = code
        let project = ProjectError.system("write", "/projects/a.tar")
        #expect(DiskFull.causes(project) == isFull)
        #expect(project.description == "cannot write /projects/a.tar: \(String(cString: strerror(code)))")
        #expect(DiskFull.causes(IOError(errnoCode: code, reason: "write")) == isFull)
        let posix = try #require(POSIXErrorCode(rawValue: code).map { POSIXError($0) })
        #expect(DiskFull.causes(posix) == isFull)
    }
}
