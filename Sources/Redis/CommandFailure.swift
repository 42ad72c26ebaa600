/// Why a command has no useful reply.
package enum CommandFailure: Error, Equatable, Sendable {
    /// There is no connection, or it was lost before the reply: whether the server ran the command is not known.
    case notConnected
    /// No reply within the command's time; the server may still run it.
    case timedOut
    /// Too many commands wait for their replies.
    case tooManyInFlight
    case refused(ServerError)
    /// A reply of another type than the command has.
    case unexpectedReply
}

/// Why no connection can be used.
package enum ConnectFailure: Error, Equatable, Sendable {
    /// The system's reason.
    case unreachable(String)
    case timedOut
    case closed
    case malformedReply(ReplyParser.Malformed)
    case refused(ServerError)
    /// The server is not a master, although a Sentinel named it as one.
    case notMaster
    /// No Sentinel knows the master by that name.
    case unknownMaster(String)
    case unexpectedReply
}

extension ConnectFailure: CustomStringConvertible {
    /// One line for a log; texts of the server or system are not escaped.
    package var description: String {
        switch self {
        case .unreachable(let reason): "not reachable: \(reason)"
        case .timedOut: "no reply in time"
        case .closed: "the connection was closed"
        case .malformedReply: "the reply is not RESP2"
        case .refused(let error): error.text
        case .notMaster: "the server is not the master"
        case .unknownMaster(let name): "no Sentinel knows the master \(name)"
        case .unexpectedReply: "an unexpected reply"
        }
    }
}
