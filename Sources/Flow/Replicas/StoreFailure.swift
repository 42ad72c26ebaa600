/// Why the store did not do what a command asked for; the raw value is the label of logs and metrics.
package enum StoreFailure: String, Error, Sendable, CaseIterable {
    /// No connection, or it ended before the answer.
    case unreachable
    /// No answer within `patience`.
    case timeout
    /// The server is a replica of another (`READONLY`).
    case readOnly = "read-only"
    case loading
    /// A script or a transaction blocks the server (`BUSY`).
    case busy
    case outOfMemory = "out-of-memory"
    /// The server cannot persist, and refuses writes (`MISCONF`).
    case misconfigured
    case clusterDown = "cluster-down"
    /// `NOAUTH`, `WRONGPASS`, `NOPERM`.
    case denied
    /// An answer that is no answer to the command.
    case malformed
}
