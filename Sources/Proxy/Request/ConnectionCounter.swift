import Downstream
import Flow
import HTTPText
import Logging
import Settings

/// Bounds the connections of the process, and those of each client address.
///
/// Addresses of IPv6 count by their /64, as under `client_key: address`: a host can use every address in it. A connection that
/// is rejected is counted, and logged at most once a minute: it is closed before it has a request that could be logged.
final class ConnectionCounter: ConnectionGate {
    /// The names of the limits in warnings.
    struct LimitNames: Sendable {
        let maximum, perAddress: String

        static let clients = LimitNames(maximum: "max_connections", perAddress: "connections_per_address")
        static let admin = LimitNames(
            maximum: "admin_connections", perAddress: "admin_connections_per_address")
    }

    private let counts: NamedCounter
    private let names: LimitNames
    private let log: Logger
    private let clock: @Sendable () -> Instant
    private let warnings = WarningPace(every: .seconds(60))

    /// - Parameters:
    ///   - maximum: Of all addresses together.
    ///   - perAddress: Of one; `nil` for no limit but `maximum`.
    ///   - names: Of the limits.
    ///   - log: The process's.
    ///   - clock: Reads the monotonic clock.
    init(
        maximum: Int, perAddress: Int?, names: LimitNames = .clients, log: Logger,
        clock: @escaping @Sendable () -> Instant = Instant.monotonic
    ) {
        counts = NamedCounter(maximum: maximum, perName: perAddress, sparesUnnamed: true)
        (self.names, self.log, self.clock) = (names, log, clock)
    }

    /// Open connections.
    var count: Int { counts.count }

    /// Connections that were closed as soon as they were accepted, since the start.
    var rejections: NamedCounter.Rejections { counts.rejections }

    /// Bounds the connections that are accepted from now on; those that are open stay.
    func setLimits(maximum: Int, perAddress: Int?) { counts.setLimits(maximum: maximum, perName: perAddress) }

    func enter(_ peer: String) -> Bool {
        guard let bound = counts.exceeded(by: Self.name(of: peer)) else { return true }
        if warnings.isDue(at: clock()) { warn(bound, peer) }
        return false
    }

    func leave(_ peer: String) { counts.removed(Self.name(of: peer)) }

    private func warn(_ bound: NamedCounter.Bound, _ peer: String) {
        let limit =
            switch bound {
            case .maximum: names.maximum
            case .perName: names.perAddress
            }
        let total = rejections.maximum + rejections.perName
        log.warning(
            "a connection was closed as soon as it was accepted",
            metadata: ["limit": "\(limit)", "client": "\(peer)", "closed_since_start": "\(total)"])
    }

    private static func name(of peer: String) -> String {
        AddressBlock.client(peer, ipv6Prefix: Route.ClientKey.standardIPv6Prefix)
    }
}
