import Dispatch
import NIOCore

/// Reads one input as what a client sends on one connection.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzHTTP(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    // The first byte says how the rest is cut into pieces, the second how the upstream behaves.
    guard bytes.count > 2 else { return 0 }
    let input = ByteBuffer(bytes: bytes.dropFirst(2))
    let plan = HTTPCase.Plan(cuts: bytes[0], upstream: bytes[1])
    // libFuzzer calls synchronously, and some answers are made by tasks.
    let done = DispatchSemaphore(value: 0)
    Task {
        await HTTPCase.check(input, plan)
        done.signal()
    }
    done.wait()
    return 0
}
