import NIOHTTP1
import Settings
import Upstream

/// The receiver of one signal.
struct ExportDestination: Sendable {
    private static let connectTimeout = Duration.seconds(5)

    let signal: TelemetryFigures.Signal
    let origin: Origin
    private let endpoint: Configuration.OTLP.Endpoint
    private let headers: [HeaderRules.Field]
    /// Whether bodies are compressed.
    let compresses: Bool

    init(_ settings: Configuration.OTLP, _ signal: TelemetryFigures.Signal, at origin: Origin) {
        (self.signal, self.origin) = (signal, origin)
        (endpoint, headers) = (settings.endpoint, settings.headers)
        compresses = settings.compression == .gzip
    }

    /// Where the requests of all signals go.
    static func origin(of settings: Configuration.OTLP) -> Origin {
        let address = settings.endpoint.address
        return Origin(
            url: address.url,
            trust: address.scheme == .https ? settings.authority.map { .authority(path: $0.path) } ?? .system : nil,
            connectTimeout: connectTimeout, receiveBuffer: nil)
    }

    /// The request for a body of this length, without its header.
    func request(length: Int) -> UpstreamRequest {
        UpstreamRequest(method: .POST, target: "\(endpoint.path)/v1/\(signal.rawValue)", body: .init(length: length))
    }

    func writeHeader(to list: inout HeaderList, for body: ExportBody) {
        list.begin(host: endpoint.address.authority)
        list.add(own: "User-Agent", "weir")
        list.add(own: "Content-Type", "application/json")
        if body.isCompressed { list.add(own: "Content-Encoding", "gzip") }
        for field in headers { list.add(field.name, field.value.revealed) }
    }
}
