import NIOCore
import NIOSSL

/// The identities of a server by the names that clients request (SNI; RFC 6066, section 3).
///
/// Each is for the DNS names of its certificate; a wildcard matches one label (RFC 9525, section 6.3). An exact name
/// precedes a wildcard, and of two identities with the same name the first counts. A client that requests no name, or one that no
/// certificate has, gets the standard identity.
struct NamedIdentities {
    private var overrides: [String: NIOSSLContextConfigurationOverride] = [:]
    private var isOne = true

    /// - Parameter standard: The identity of the context.
    init(standard: ServerIdentity) { add(standard.names, .noChanges) }

    mutating func add(_ identity: ServerIdentity) {
        isOne = false
        add(identity.names, identity.override)
    }

    private mutating func add(_ names: [String], _ override: NIOSSLContextConfigurationOverride) {
        for name in names where overrides[name] == nil { overrides[name] = override }
    }

    /// The callback for a TLS configuration; `nil` if there is only one identity, so that no handshake waits for a callback.
    var selection: NIOSSLContextCallback? {
        guard !isOne else { return nil }
        return { [overrides] client, promise in
            let name = client.serverHostname?.lowercased() ?? ""
            let wildcard = name.firstIndex(of: ".").map { "*" + name[$0...] } ?? ""
            promise.succeed(overrides[name] ?? overrides[wildcard] ?? .noChanges)
        }
    }
}
