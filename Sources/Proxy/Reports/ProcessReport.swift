package import Observability
import Upstream

/// What the process reports of itself to operators.
package struct ProcessReport: Sendable {
    package let build: Build
    package let reloads: ReloadStatus
    /// The number of the configuration that is served; 1 is the one that the process began with.
    package let generation: Int
    /// Lines of the access log that could not be written, since the start.
    package let accessLogLinesLost: Int
    /// The same of the process's own log.
    package let processLogLinesLost: Int
    /// Connections that were closed as soon as they were accepted, since the start.
    package var rejectedConnections = RejectedConnections()

    /// What does not change while the process runs.
    package struct Build: Sendable {
        /// Of weir.
        package let version: String
        package let libcurl = LibcurlVersion.name
        package let start = Timestamp.now()

        package init(version: String) { self.version = version }
    }
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
    /// Whether the last one was refused.
    package var isRefused = false
    /// When the present configuration was taken.
    package var taken = Timestamp.now()

    package init() {}
}
