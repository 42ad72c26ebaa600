package import Observability
import Upstream

/// The process as operators see it.
package struct ProcessReport: Sendable {
    package let build: Build
    package let reloads: ReloadStatus
    /// The number of the current configuration; 1 at the start.
    package let generation: Int
    /// Lines of the access log that were lost since the start.
    package let accessLogLinesLost: Int
    /// The same of the process's own log.
    package let processLogLinesLost: Int
    /// Connections that were closed as soon as they were accepted, since the start.
    package var rejectedConnections = RejectedConnections()
    /// `nil` if no limits are shared with other replicas.
    package var replicas: ReplicasFigures?
    /// Open connections of clients to the public listeners.
    package var clientConnections = 0
    /// When the server's certificates expire; empty without TLS.
    package var certificates: [CertificateExpiry] = []
    /// `nil` if nothing is exported over OTLP.
    package var telemetry: TelemetryFigures?

    /// The constant part.
    package struct Build: Sendable {
        /// Of weir.
        package let version: String
        package let libcurl = LibcurlVersion.name
        package let start = Timestamp.now()

        package init(version: String) { self.version = version }
    }
}

/// When a certificate of the server expires.
package struct CertificateExpiry: Equatable, Sendable {
    /// The file, as configured.
    package let file: String
    /// The first end of the validity in its chain, in seconds since 1970.
    package let time: Int
}

/// Connections that were closed as soon as they were accepted, by the limit that they exceeded.
package struct RejectedConnections: Equatable, Sendable {
    /// `limits.max_connections`.
    package var maximum = 0
    /// `limits.connections_per_address`.
    package var perAddress = 0
}

/// The result of the last reload.
package struct ReloadStatus: Sendable {
    /// Whether the last reload was rejected.
    package var isRefused = false
    /// When the current configuration was applied.
    package var taken = Timestamp.now()

    package init() {}
}
