import CortexSpec

/// Reads one input as each text that a user hands over, and holds the answers to what they promise.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzConfig(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    ConfigCase.check(text)
    DotEnvCase.check(text)
    IgnoreCase.check(text)
    return 0
}
