import Downstream
import NIOConcurrencyHelpers

/// Bounds the client connections of all loops together and of each address.
///
/// It has a lock, which is taken twice in a connection's life.
final class ConnectionBudget: ConnectionGate {
    private struct Counts {
        var all = 0
        var byAddress: [String: Int] = [:]
    }

    private let maximum: Int
    private let perAddress: Int?
    private let counts = NIOLockedValueBox(Counts())

    init(maximum: Int, perAddress: Int?) {
        self.maximum = maximum
        self.perAddress = perAddress
    }

    func enter(_ peer: String) -> Bool {
        counts.withLockedValue { counts in
            guard counts.all < maximum else { return false }
            // The peers of a unix socket have no address to count by.
            if let perAddress, !peer.isEmpty, counts.byAddress[peer, default: 0] >= perAddress { return false }
            counts.all += 1
            counts.byAddress[peer, default: 0] += 1
            return true
        }
    }

    func left(_ peer: String) {
        counts.withLockedValue { counts in
            counts.all -= 1
            let rest = counts.byAddress[peer, default: 1] - 1
            counts.byAddress[peer] = rest == 0 ? nil : rest
        }
    }
}
