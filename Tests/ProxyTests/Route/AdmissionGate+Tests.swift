import Flow
import Settings
import Upstream

@testable import Proxy

extension RouteUpstream {
    static let any = named("any")

    static func named(_ name: String) -> RouteUpstream {
        let address = UpstreamAddress(host: name, port: 9000)
        return RouteUpstream(
            address: address, origin: Origin(url: address.url, connectTimeout: .seconds(1), receiveBuffer: nil))
    }
}

extension AdmissionGate {
    var openStreams: Int { withState { $0.admission.openStreams } }
    /// Streams and plain requests.
    var openRequests: Int { withState { $0.admission.openRequests } }
}

extension Permit {
    /// Ends it here.
    consuming func release() {}
}

extension CircuitBreaker.Policy {
    /// Opens at the first failure, for 30 to 36 seconds, and closes after a probe of ten records.
    static let sensitive = CircuitBreaker.Policy(
        trips: 1, window: .seconds(60), cooldown: .seconds(30), probes: 1, probeRecords: 10)
}
