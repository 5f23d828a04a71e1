import NIOCore

/// Reads one input as the bytes that a worker sends.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzFrames(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    // The first byte says how the rest is cut into pieces, as a socket might.
    guard let seed = bytes.first else { return 0 }
    FramesCase.check(ByteBuffer(bytes: bytes.dropFirst()), pieces: Int(seed))
    return 0
}
