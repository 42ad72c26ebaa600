import Downstream
import HTTPText
import Settings

/// Bounds the connections of the process, and those of each client address.
///
/// Addresses of IPv6 count by their /64, as under `client_key: address`: a host has as many addresses in it as it likes.
final class ConnectionCounter: ConnectionGate {
    private let counts: NamedCounter

    /// - Parameters:
    ///   - maximum: Of all addresses together.
    ///   - perAddress: Of one; `nil` where one may have them all.
    init(maximum: Int, perAddress: Int?) {
        counts = NamedCounter(maximum: maximum, perName: perAddress, sparesUnnamed: true)
    }

    /// Bounds the connections that come from now on; those that are counted already stay.
    func setLimits(maximum: Int, perAddress: Int?) { counts.setLimits(maximum: maximum, perName: perAddress) }

    func enter(_ peer: String) -> Bool { counts.enter(Self.name(of: peer)) }

    func left(_ peer: String) { counts.left(Self.name(of: peer)) }

    private static func name(of peer: String) -> String {
        AddressBlock.client(peer, ipv6Prefix: Route.ClientKey.standardIPv6Prefix)
    }
}
