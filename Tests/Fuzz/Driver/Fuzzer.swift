import FuzzTargets

/// What libFuzzer's own `main` calls for each input (https://llvm.org/docs/LibFuzzer.html#fuzz-target).
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ length: Int) -> CInt {
    do {
        try chosenTarget.run(UnsafeRawBufferPointer(start: bytes, count: length))
    } catch {
        fatalError("\(error)")
    }
    return 0
}
