import Glibc

/// What a transfer knows of the connection that it uses.
struct TransferConnection {
    /// Whether other transfers may be on it: libcurl passes what has arrived for all of them, in one call.
    var isShared = false
    /// Whether it closes after the transfer.
    var forbidsReuse = false
    /// The last socket that libcurl has waited for: once there is a response, that of the connection.
    var socket: (descriptor: CInt, generation: UInt32)?
}
