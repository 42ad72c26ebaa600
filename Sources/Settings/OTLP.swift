extension Configuration {
    /// Where traces and metrics are exported to, over OTLP/HTTP with JSON.
    package struct OTLP: Equatable, Sendable {
        package var endpoint: Endpoint
        /// The share of the traces that begin here and are exported, from 0 to 1.
        package var sample = 1.0
        /// Fields of each request to the receiver.
        package var headers: [HeaderRules.Field] = []
        package var compression = Compression.none
        /// The certificate authority of an `https` receiver, in PEM; `nil` for the system's trust store.
        package var authority: WrittenPath?
        /// The interval of the export of metrics; `nil` if they are not exported.
        package var metricsInterval: Duration? = .seconds(60)
        /// `service.name` of the resource.
        package var serviceName = "weir"
        /// `service.instance.id` of the resource; `nil` for a random one at each start.
        package var instance: String?

        package init(endpoint: Endpoint) { self.endpoint = endpoint }

        /// How bodies are compressed.
        package enum Compression: String, Sendable, CaseIterable {
            case none, gzip
        }

        /// The receiver's address, and the path that comes before that of a signal.
        package struct Endpoint: Equatable, Sendable {
            package let address: UpstreamAddress
            /// Without a slash at its end; empty if there is none.
            package let path: String

            package init(address: UpstreamAddress, path: String = "") { (self.address, self.path) = (address, path) }
        }
    }
}

extension Configuration.OTLP.Endpoint {
    /// Reads `http://host:4318` or `https://host/path`.
    ///
    /// - Throws: The error, if there is more to say than the allowed values.
    init?(_ text: String) throws(Refusal) {
        guard let scheme = text.firstRange(of: "://"), text.hasPrefix("http") else { return nil }
        guard !text.contains("@") else {
            throw Refusal(reason: "an address must not have a user or password; allowed: in `headers`")
        }
        let end = text[scheme.upperBound...].firstIndex(of: "/") ?? text.endIndex
        var path = String(text[end...])
        while path.last == "/" { path.removeLast() }
        guard path.utf8.count <= 1024, path.utf8.allSatisfy(\.isPath),
            let address = try UpstreamAddress(String(text[..<end]))
        else { return nil }
        for signal in ["/v1/traces", "/v1/metrics"] where path.hasSuffix(signal) {
            throw Refusal(reason: "weir appends `\(signal)` itself")
        }
        self.init(address: address, path: path)
    }
}
