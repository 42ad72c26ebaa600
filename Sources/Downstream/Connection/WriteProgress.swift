/// What was written on a connection of HTTP/1.1, and whether the socket has taken it.
///
///     drained ──written──▶ staged ──flush──▶ drained | blocked ──writable──▶ drained
///
/// The channel is writable exactly while it holds nothing (``WireHandler``). Between a write and its flush the client counts as
/// one that takes everything: whether it does is known after the flush.
struct WriteProgress {
    /// Whether bytes were written that are not flushed, or were sent and the connection has not been notified.
    private(set) var isStaged = false
    /// Body bytes that were written to the channel and not flushed.
    private(set) var stagedBodyBytes = 0
    /// All bytes that were written since the connection began.
    private(set) var total = 0
    /// Whether the channel has bytes to flush.
    private var isQueued = false
    private var isFlushing = false
    /// As the channel reported it last: a call to the channel costs three.
    private var isWritable = true

    /// Whether the socket has taken everything that was flushed.
    var isDrained: Bool { isStaged || isWritable }

    /// Whether bytes may be sent to the socket past the channel, because the channel holds none that come before them.
    var canBypassChannel: Bool { !isQueued && isWritable }

    /// Something was written, or the connection wants to be notified at the end of the turn.
    ///
    /// - Returns: Whether it is the first since the last flush.
    mutating func stage() -> Bool {
        defer { isStaged = true }
        return !isStaged
    }

    /// The socket took bytes past the channel.
    mutating func sent(_ bytes: Int) { total += bytes }

    /// Bytes were written to the channel; `bodyBytes` of them are of a body.
    mutating func queued(_ bytes: Int, bodyBytes: Int) {
        isQueued = true
        stagedBodyBytes += bodyBytes
        total += bytes
    }

    /// Everything that was written is to be flushed now.
    ///
    /// - Returns: Whether the channel must flush; ``flushEnded()`` follows then.
    mutating func flushBegan() -> Bool {
        isStaged = false
        guard isQueued else { return false }
        (isQueued, stagedBodyBytes, isFlushing) = (false, 0, true)
        return true
    }

    mutating func flushEnded() { isFlushing = false }

    /// The channel holds bytes, or none any more.
    ///
    /// - Returns: Whether the client has caught up. weir's own writes and flushes change it too, which means nothing.
    mutating func writabilityChanged(to isWritable: Bool) -> Bool {
        self.isWritable = isWritable
        return isWritable && !isFlushing && !isStaged
    }

    /// The channel is closed: nothing is written, and nothing will be taken.
    mutating func closed() { (isStaged, isQueued, isWritable) = (false, false, false) }
}
