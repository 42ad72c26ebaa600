import Flow
import HTTPText
import NIOCore
import Settings

/// The feeds of a pull on other loops: what they still get in this turn, and which of them the pull waits for.
struct RemoteFeeds {
    /// Bytes that may be on their way to another loop before that has to confirm them: a turn's.
    private static let mostInFlight = 64 << 10

    private struct Remote {
        let feed: NIOLoopBound<PullFeed>
        var readers = 0
        var isFull = false
        /// Bytes since it last confirmed.
        var inFlight = 0
        var isConfirming = false
    }

    private var remotes: [ObjectIdentifier: Remote] = [:]
    /// Segments that they get at the end of the turn.
    private var unsent: [LogSegment] = []
    /// Whether the readers of the pull's own loop have no room.
    private var isLocalFull = false

    var isEmpty: Bool { remotes.isEmpty }
    var all: [NIOLoopBound<PullFeed>] { remotes.values.map(\.feed) }

    mutating func add(_ feed: NIOLoopBound<PullFeed>, as id: ObjectIdentifier) { remotes[id] = Remote(feed: feed) }

    mutating func remove(_ id: ObjectIdentifier) { remotes[id] = nil }

    mutating func removeAll() { remotes = [:] }

    mutating func readersChanged(by change: Int, in id: ObjectIdentifier) { remotes[id]?.readers += change }

    /// Sets whether the readers of a feed have no room; `nil` names the feed of the pull's own loop.
    mutating func setFull(_ isFull: Bool, in id: ObjectIdentifier?) {
        if let id { remotes[id]?.isFull = isFull } else { isLocalFull = isFull }
    }

    /// Whether the upstream has to wait: under `lag: wait` for the slowest readers, else for the fastest; and for loops that
    /// have too much on its way.
    func mustWait(under lag: Lag, localReaders: Int) -> Bool {
        let fulls = remotes.values.filter { $0.readers > 0 }.map(\.isFull) + (localReaders > 0 ? [isLocalFull] : [])
        let isFull = lag == .wait ? fulls.contains(true) : !fulls.isEmpty && !fulls.contains(false)
        return isFull || remotes.values.contains { $0.isConfirming }
    }

    /// Keeps a segment until the end of the turn.
    ///
    /// - Returns: Whether it is the first one, so that ``takeUnsent()`` has to be called.
    mutating func queue(_ segment: LogSegment) -> Bool {
        unsent.append(segment)
        return unsent.count == 1
    }

    /// What the feeds get now, and those of them that have to confirm it.
    mutating func takeUnsent() -> (segments: [LogSegment], confirming: [(ObjectIdentifier, NIOLoopBound<PullFeed>)]) {
        let segments = unsent
        unsent = []
        let bytes = segments.reduce(0) { $0 + $1.chunk.count }
        var confirming: [(ObjectIdentifier, NIOLoopBound<PullFeed>)] = []
        for (id, remote) in remotes {
            let isDue = remote.inFlight + bytes > Self.mostInFlight && !remote.isConfirming
            remotes[id]?.inFlight += bytes
            guard isDue else { continue }
            remotes[id]?.isConfirming = true
            confirming.append((id, remote.feed))
        }
        return (segments, confirming)
    }

    /// A feed has received everything that was sent before it was asked to confirm.
    mutating func confirmed(by id: ObjectIdentifier) {
        remotes[id]?.inFlight = 0
        remotes[id]?.isConfirming = false
    }
}
