/// Counts the bytes of one response that its client has taken, from a count of its connection's bytes that may fall.
///
/// The count of the connection is what was written less what the kernel reports as unacknowledged; what comes between two
/// reports can make it smaller.
struct TakenBytes {
    private var last: Int
    /// Never falls.
    private(set) var total = 0

    /// - Parameter written: Bytes of the connection when the response begins.
    init(after written: Int) { last = written }

    /// - Parameter taken: Bytes of the connection that the client has taken.
    mutating func observe(_ taken: Int) {
        total += max(0, taken - last)
        last = taken
    }
}
