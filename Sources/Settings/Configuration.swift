package import Flow
package import HTTPText

/// Everything that `proxy.conf` says, checked and complete: what was left out has its default.
///
/// A value of this type cannot be wrong; the only way to get one from text is ``parse(_:file:environment:)``. The
/// defaults stand here and nowhere else; `proxy.conf.example` tells each one's unit, range and reason.
package struct Configuration: Equatable, Sendable {
    /// Where clients connect; never empty.
    package var listen = [ListenAddress.ip(host: "127.0.0.1", port: 8080)]
    /// Whether other processes may listen at the addresses of `listen` as well.
    package var reusesPort = false
    /// Where `/livez`, `/readyz` and `/metrics` answer; `nil` where there is no such listener.
    package var admin: ListenAddress? = .ip(host: "127.0.0.1", port: 9090)
    /// What a request to the admin listener has to show; `nil` where it may look at everything, and change nothing.
    package var adminToken: Secret?
    /// Whether `traceparent` and `tracestate` are taken part in; they pass untouched otherwise.
    package var isTracing = true
    /// Event loops; `nil` for one per core.
    package var workers: Int?
    /// `nil` where nothing is logged.
    package var accessLog: AccessLog? = AccessLog()
    package var logLevel = LogLevel.info
    /// What the `type` of each problem begins with; no slash at its end.
    package var problemBase = "https://example.com/problems"
    /// The peers that are believed when they say whom they serve.
    package var trustedProxies = [AddressBlock.loopback]
    /// Where they say it.
    package var forwardedHeader = ForwardedHeader.xForwardedFor
    /// weir's name in `Via`; `nil` where no such field is added.
    package var via: String? = "weir"
    /// How long open streams may run on after the first SIGTERM.
    package var shutdownGrace = Duration.seconds(30)
    package var limits = Limits()
    package var paths = Paths()
    /// `nil` where the public listeners speak without TLS.
    package var tls: TLS?
    /// `nil` where only HTTP/1.1 is spoken.
    package var http2: HTTP2? = HTTP2()
    /// In the order of the file, which is the order of matching; never empty.
    package var routes: [Route]

    package init(routes: [Route]) { self.routes = routes }
}

extension Configuration {
    /// The field in which a proxy tells the chain of addresses.
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
        /// Whether a line tells that a request was handed on.
        package var tellsStarts = false
        /// How often a line tells how a running stream stands; `nil` for never.
        package var progressInterval: Duration?

        package init(destination: Destination = .standardOutput) { self.destination = destination }
    }

    /// The least serious message that is still logged, in the words of swift-log.
    package enum LogLevel: String, Equatable, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// What the whole process takes on, whatever the routes allow.
    package struct Limits: Equatable, Sendable {
        package var maxConnections = 20_000
        /// `nil` where one address may hold as many as all together.
        package var connectionsPerAddress: Int? = 1000
        package var maxStreams = 20_000
        /// What the queues of all streams together hold; `nil` for no bound but each stream's own.
        package var maxBufferBytes: ByteCount? = .gibibytes(1)
        package var maxHeaderBytes = ByteCount.kibibytes(32)
        /// From the first byte of a request's head, or from the accept, to the end of the head.
        package var headerTimeout = Duration.seconds(10)
        /// How long a connection may stay idle between two requests.
        package var keepaliveTimeout = Duration.seconds(75)
        /// Whether what goes over `maxStreams` or `maxBufferBytes` is told and let through.
        package var isDryRun = false

        package init() {}
    }

    /// What a client may do with one connection of HTTP/2.
    package struct HTTP2: Equatable, Sendable {
        /// Requests at a time.
        package var maxConcurrentStreams = 100

        package init() {}
    }

    /// What weir itself answers on the public listener, before any route.
    package struct Paths: Equatable, Sendable {
        /// Below it each stream has its own path, by its id; no slash at its end; `nil` for none.
        package var streams: String? = "/v1/streams"
        /// Where the health of the streams is told; no slash at its end; `nil` for nowhere.
        package var health: String? = "/v1/health/streaming"

        package init() {}
    }
}
