import Upstream

/// The begin of a response that is not passed on before its first record: until then another upstream may be tried.
struct WithheldHead {
    let head: UpstreamResponseHead
    /// What followed it: comments, blank lines, the begin of a record.
    private(set) var bytes: [UInt8] = []

    init(_ head: UpstreamResponseHead) { self.head = head }

    mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }
}
