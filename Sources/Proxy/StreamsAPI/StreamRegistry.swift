import Flow
import NIOConcurrencyHelpers
import NIOCore

/// The event loop of each open stream, so that a request on any connection and any loop can find it by its id.
///
/// Its lock is taken twice per stream and once for each request that names a stream. It also remembers the last streams
/// that were not fetched or resumed in time, so that a late client gets 410 and not 404.
final class StreamRegistry: Sendable {
    enum Place {
        /// On that loop; it may have ended before a message arrives there.
        case open(on: NIOLoopBound<any StreamsHost>)
        /// It was not fetched or resumed in time.
        case expired
        case unknown
    }

    private struct Known {
        var open: [StreamId: NIOLoopBound<any StreamsHost>] = [:]
        var expired: Set<StreamId> = []
        /// The expired streams in the order of their ends, as a ring.
        var order: [StreamId] = []
        var oldest = 0
        /// Open streams without a client that can be found by their requests.
        var detached = DetachedStreams()
    }

    /// Expired streams that are remembered: 16 bytes each, twice.
    static let mostExpired = 16_384

    private let known = NIOLockedValueBox(Known())

    func add(_ id: StreamId, on host: NIOLoopBound<any StreamsHost>) {
        known.withLockedValue { $0.open[id] = host }
    }

    func remove(_ id: StreamId, hasExpired: Bool) {
        known.withLockedValue { known in
            known.open[id] = nil
            guard hasExpired else { return }
            known.expired.insert(id)
            if known.order.count < Self.mostExpired {
                known.order.append(id)
            } else {
                known.expired.remove(known.order[known.oldest])
                known.order[known.oldest] = id
                known.oldest = (known.oldest + 1) % Self.mostExpired
            }
        }
    }

    func place(of id: StreamId) -> Place {
        known.withLockedValue { known in
            if let host = known.open[id] { return .open(on: host) }
            return known.expired.contains(id) ? .expired : .unknown
        }
    }

    func addDetached(_ id: StreamId, by key: ResumptionKey) { known.withLockedValue { $0.detached.add(id, of: key) } }

    func removeDetached(_ id: StreamId, by key: ResumptionKey) {
        known.withLockedValue { $0.detached.remove(id, of: key) }
    }

    /// The streams without a client that a request with this key may continue, see ``DetachedStreams/candidates(of:)``.
    func detached(by key: ResumptionKey) -> [StreamId] { known.withLockedValue { $0.detached.candidates(of: key) } }

    func isOpen(_ id: StreamId) -> Bool { known.withLockedValue { $0.open[id] != nil } }

    var count: Int { known.withLockedValue { $0.open.count } }
}
