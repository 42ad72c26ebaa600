package import Flow
package import HTTPText

/// The content of `proxy.conf`, checked and complete: keys that were omitted have their defaults.
///
/// A value of this type is always valid; the only way to get one from text is ``parse(_:file:environment:)``. The
/// defaults are defined only here; `proxy.conf.example` documents the unit, range and reason of each.
package struct Configuration: Equatable, Sendable {
    /// The addresses of the public listeners; never empty.
    package var listen = [PublicListener(.ip(host: "127.0.0.1", port: 8080))]
    /// Whether other processes may listen at the addresses of `listen` as well.
    package var reusesPort = false
    /// The address of `/livez`, `/readyz` and `/metrics`; `nil` if there is no admin listener.
    package var admin: ListenAddress? = .ip(host: "127.0.0.1", port: 9090)
    /// The token of requests to the admin listener; `nil` if it allows every read and no change.
    package var adminToken: Secret?
    /// Whether weir takes part in `traceparent` and `tracestate`; otherwise they pass unchanged.
    package var isTracing = true
    /// Event loops; `nil` for one per core.
    package var workers: Int?
    /// `nil` if requests are not logged.
    package var accessLog: AccessLog? = AccessLog()
    package var logLevel = LogLevel.info
    /// The beginning of the `type` of each problem; no slash at its end.
    package var problemBase = "https://example.com/problems"
    /// The peers whose forwarding header is trusted.
    package var trustedProxies = [AddressBlock.loopback]
    /// The header in which they send the client's address.
    package var forwardedHeader = ForwardedHeader.xForwardedFor
    /// weir's name in `Via`; `nil` if no such field is added.
    package var via: String? = Self.standardVia
    /// weir's name in `Proxy-Status` (RFC 9209); `nil` if the field is not sent.
    package var proxyName: String?
    /// The time that open streams have after the first SIGTERM.
    package var shutdownGrace = Duration.seconds(30)
    package var limits = Limits()
    package var paths = Paths()
    /// `nil` if the public listeners do not use TLS.
    package var tls: TLS?
    /// `nil` if only HTTP/1.1 is supported.
    package var http2: HTTP2? = HTTP2()
    /// `nil` if this instance shares no state with others.
    package var replicas: Replicas?
    /// `nil` if no traces and metrics are exported.
    package var otlp: OTLP?
    /// In the order of the file, which is the order of matching; never empty.
    package var routes: [Route]

    /// A name that several proxies of one path may have.
    package static let standardVia = "weir"

    package init(routes: [Route]) { self.routes = routes }
}

extension Configuration {
    /// The field in which a proxy sends the chain of addresses.
    package enum ForwardedHeader: String, Equatable, Sendable, CaseIterable {
        case xForwardedFor = "x-forwarded-for"
        /// RFC 7239.
        case forwarded
    }

    package struct AccessLog: Equatable, Sendable {
        package enum Destination: Equatable, Sendable {
            case standardOutput
            case file(path: String)
        }

        package enum Format: String, Equatable, Sendable, CaseIterable {
            case json, combined
        }

        package var destination = Destination.standardOutput
        package var format = Format.json
        /// Whether a line is logged when a request is passed to the upstream.
        package var tellsStarts = false
        /// The time between two progress lines of an open stream; `nil` if there is none.
        package var progressInterval: Duration?

        package init(destination: Destination = .standardOutput) { self.destination = destination }
    }

    /// The lowest level that is logged, in the words of swift-log.
    package enum LogLevel: String, Equatable, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// The limits of the whole process, independent of the routes.
    package struct Limits: Equatable, Sendable {
        package var maxConnections = 20_000
        /// `nil` if connections of one address are limited only by `maxConnections`.
        package var connectionsPerAddress: Int? = 1000
        package var maxStreams = 20_000
        /// Bytes in the queues of all streams together; `nil` if only each stream's own bound applies.
        package var maxBufferBytes: ByteCount? = .gibibytes(1)
        package var maxHeaderBytes = ByteCount.kibibytes(32)
        /// From the first byte of a request's head, or from the accept, to the end of the head.
        package var headerTimeout = Duration.seconds(10)
        /// The maximum idle time of a connection between two requests.
        package var keepaliveTimeout = Duration.seconds(75)
        /// Whether requests above `maxStreams` or `maxBufferBytes` are only reported, not refused.
        package var isDryRun = false

        package init() {}
    }

    /// The limits of one HTTP/2 connection.
    package struct HTTP2: Equatable, Sendable {
        /// Concurrent requests.
        package var maxConcurrentStreams = 100

        package init() {}
    }

    /// The paths that weir itself answers on the public listener, before any route.
    package struct Paths: Equatable, Sendable {
        /// The parent of each stream's own path, which ends in its id; no slash at its end; `nil` if there is none.
        package var streams: String? = "/v1/streams"
        /// The path of the streams' health; no slash at its end; `nil` if there is none.
        package var health: String? = "/v1/health/streaming"

        package init() {}
    }
}
