/// An error reply: the cause by its first word, and the server's text.
package struct ServerError: Error, Equatable, Sendable {
    /// The first word of the text; `other` for a word that weir does not distinguish.
    package enum Cause: String, Sendable, CaseIterable {
        /// The server is a replica.
        case readOnly = "READONLY"
        /// The data set is being read from the disk.
        case loading = "LOADING"
        /// A script has run for longer than the server's limit.
        case busy = "BUSY"
        /// The server has reached `maxmemory`.
        case outOfMemory = "OOM"
        /// Writes are rejected because snapshots fail.
        case misconfigured = "MISCONF"
        case clusterDown = "CLUSTERDOWN"
        /// A replica has lost its master and does not serve old data.
        case masterDown = "MASTERDOWN"
        /// Too few replicas are connected to accept writes.
        case noReplicas = "NOREPLICAS"
        /// The key belongs to another node of a cluster.
        case moved = "MOVED"
        case notAuthenticated = "NOAUTH"
        case wrongPassword = "WRONGPASS"
        /// The user may not run the command.
        case notPermitted = "NOPERM"
        case unknownScript = "NOSCRIPT"
        case other = ""
    }

    package let cause: Cause
    /// The whole text of the reply; it comes from the server and is escaped before it is shown.
    package let text: String

    package init(_ text: String) {
        self.text = text
        cause = Cause(rawValue: String(text.prefix { $0 != " " })) ?? .other
    }

    /// Whether another connection may reach a server that accepts commands: this one is no longer, or not yet, the master.
    var isOfConnection: Bool {
        switch cause {
        case .readOnly, .loading, .masterDown, .clusterDown, .moved, .notAuthenticated: true
        case .busy, .outOfMemory, .misconfigured, .noReplicas, .wrongPassword, .notPermitted, .unknownScript, .other:
            false
        }
    }
}
