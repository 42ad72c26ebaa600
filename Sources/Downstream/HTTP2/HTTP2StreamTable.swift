/// The streams of one connection of HTTP/2, and the lists of those that something must be done for.
///
/// Each function changes a list and calls nothing: streams and handlers that are called may change the lists.
struct HTTP2StreamTable {
    /// Those whose response has not ended or has not been taken.
    private var streams: [Int32: HTTP2Stream] = [:]
    /// The stream whose fields are arriving.
    var receiving: HTTP2Stream?
    /// Requests that have arrived and have not been dispatched.
    private var arrived: [HTTP2Stream] = []
    /// Streams that are over for the session, and have not been ended.
    private var finished: [HTTP2Stream] = []
    /// Streams that have something to send, or to report, at the end of the turn.
    private(set) var staged: [HTTP2Stream] = []
    /// Streams that wait for the socket.
    private var blocked: [HTTP2Stream] = []
    /// Those that were staged in the turn that is ending.
    private var visited: [HTTP2Stream] = []
    /// Streams whose records leave at no pace.
    private var unmetered = 0

    subscript(_ id: Int32) -> HTTP2Stream? { streams[id] }

    var isEmpty: Bool { streams.isEmpty }
    /// Whether every stream has a pace.
    var isMetered: Bool { unmetered == 0 }
    var all: [HTTP2Stream] { Array(streams.values) }

    // MARK: Begin and end

    /// A request has arrived; its response has no pace until it says so.
    mutating func add(_ stream: HTTP2Stream) {
        streams[stream.id] = stream
        unmetered += 1
        arrived.append(stream)
    }

    /// - Returns: Whether it was among them.
    mutating func remove(_ stream: HTTP2Stream) -> Bool {
        guard streams.removeValue(forKey: stream.id) != nil else { return false }
        if !stream.isMetered { unmetered -= 1 }
        return true
    }

    /// A stream's records leave at a pace, or no longer.
    mutating func paceChanged(of stream: HTTP2Stream) { unmetered += stream.isMetered ? -1 : 1 }

    /// The connection is gone: nothing is done any more but to end the streams.
    mutating func closed() { (arrived, finished, staged, blocked, receiving) = ([], [], [], [], nil) }

    // MARK: Lists

    /// A request that has arrived and was not dispatched; `nil` after the last one.
    func arrived(at index: Int) -> HTTP2Stream? { index < arrived.count ? arrived[index] : nil }

    /// All requests that have arrived were dispatched.
    mutating func dispatched() { arrived.removeAll(keepingCapacity: true) }

    /// Adds a stream that is over for the session, which may be running.
    mutating func finish(_ stream: HTTP2Stream) { finished.append(stream) }

    mutating func takeFinished() -> [HTTP2Stream] {
        guard !finished.isEmpty else { return [] }
        defer { finished = [] }
        return finished
    }

    /// Adds a stream that is to be visited at the end of the turn.
    mutating func stage(_ stream: HTTP2Stream) { staged.append(stream) }

    /// Adds a stream that is to be staged when the socket has taken what was written.
    mutating func block(_ stream: HTTP2Stream) { blocked.append(stream) }

    mutating func takeBlocked() -> [HTTP2Stream] {
        guard !blocked.isEmpty else { return [] }
        defer { blocked = [] }
        return blocked
    }

    /// The streams that are staged, for the end of the turn; what they stage comes after it.
    mutating func beginVisit() -> [HTTP2Stream] {
        swap(&staged, &visited)
        return visited
    }

    mutating func endVisit() { visited.removeAll(keepingCapacity: true) }
}
