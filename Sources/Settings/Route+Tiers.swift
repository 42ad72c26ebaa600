package import Flow
import HTTPText

// The tiers of a route's clients: other terms and limits than those of the route.

extension Route {
    /// How the tier of a client is selected.
    package enum TierSelector: Equatable, Sendable {
        /// By the value of a request header that a trusted proxy sets.
        case header(String)
        /// By the client's key.
        case file(TierFile)
    }

    /// A file that assigns clients to tiers.
    package struct TierFile: Equatable, Sendable {
        /// Where the configuration names it.
        package let path: WrittenPath
        /// Its content; empty until ``Configuration/readTierFiles(_:)``.
        package internal(set) var table = TierTable()

        package init(path: WrittenPath) { self.path = path }
    }

    /// The terms and the limits of a tier's clients, complete with those of the route that it does not change.
    package struct Tier: Equatable, Sendable {
        package var policy: Policy
        package var streams: StreamLimits

        package init(policy: Policy, streams: StreamLimits) { (self.policy, self.streams) = (policy, streams) }
    }

    /// The terms of a tier's clients; those of the route for `nil`, and for a tier that a reload has removed.
    package func policy(of tier: String?) -> Policy { tier.flatMap { tiers[$0]?.policy } ?? policy }

    /// The limits of a tier's clients; those of the route for `nil`, and for a tier that a reload has removed.
    package func streams(of tier: String?) -> StreamLimits { tier.flatMap { tiers[$0]?.streams } ?? streams }
}

extension Route.ClientKey {
    /// The client's key for a value: an address, the value of the header, or the fingerprint of a certificate.
    ///
    /// Equal clients have equal keys, however the value is written.
    package func key(of value: String) -> Flow.ClientKey {
        switch self {
        case .address(let prefix): Flow.ClientKey(AddressBlock.client(value, ipv6Prefix: prefix))
        case .header(let name): Flow.ClientKey(name.isField("authorization") ? Self.credentials(value) : value)
        case .certificate: Flow.ClientKey(AddressBlock.client(value, ipv6Prefix: Self.standardIPv6Prefix))
        }
    }

    /// One spelling of equal credentials: the scheme has no case, and any number of spaces follows it (RFC 9110, section
    /// 11.4).
    private static func credentials(_ value: String) -> String {
        guard let space = value.utf8.firstIndex(where: \.isOptionalWhitespace) else { return value.lowercased() }
        return value[..<space].lowercased() + " " + value[space...].trimmingOptionalWhitespace
    }
}
