import Flow
import NIOConcurrencyHelpers
import NIOCore

/// Where each open stream lives, so that a request on any connection and any event loop can find it by its id.
///
/// It has a lock, which is taken twice in a stream's life and once for each request that names a stream. It also
/// remembers the last streams that nobody came for in time, so that who comes late is told so: 410, not 404.
final class StreamRegistry: Sendable {
    enum Place {
        /// On that loop; by the time that a message gets there it may have ended.
        case open(on: NIOLoopBound<any StreamsHost>)
        /// Nobody fetched it, or came back to it, in time.
        case expired
        case unknown
    }

    private struct Known {
        var open: [StreamId: NIOLoopBound<any StreamsHost>] = [:]
        var expired: Set<StreamId> = []
        /// The expired in the order in which they came, as a ring.
        var order: [StreamId] = []
        var oldest = 0
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

    var count: Int { known.withLockedValue { $0.open.count } }
}
