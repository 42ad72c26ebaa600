/// Counts the bytes of one stream of HTTP/2 that its client has taken.
///
/// These are the body bytes that its window has let pass, and those that the kernel took while only it was waited for: what it
/// takes of other streams' bytes is no progress of this one, so it counts only while this stream's window, and the
/// connection's, are open.
struct HTTP2TakenBytes {
    private var framed = 0
    private var takenByKernel = 0
    /// As observed last; `nil` if a window was closed since.
    private var lastUnsent: Int?

    /// Never falls.
    var total: Int { framed + takenByKernel }

    /// Body bytes went into a frame.
    mutating func framed(_ count: Int) { framed += count }

    /// - Parameter unsent: Bytes of the connection that the client's kernel does not have; `nil` while a window is closed.
    mutating func observe(unsent: Int?) {
        if let unsent { takenByKernel += max(0, (lastUnsent ?? unsent) - unsent) }
        lastUnsent = unsent
    }
}
