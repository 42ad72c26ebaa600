/// The step that the upstream did not complete in time.
package enum UpstreamDelay: Equatable, Sendable {
    case connect, firstByte, firstRecord
    /// After its last bytes.
    case idle

    package init(_ timeout: UpstreamTimeout) {
        self =
            switch timeout {
            case .firstByte: .firstByte
            case .firstRecord, .betweenRecords: .firstRecord
            case .idle, .pause, .total: .idle
            }
    }

    var cause: UpstreamCause { self == .connect ? .connectTimeout : .timeout }

    var detail: String {
        switch self {
        case .connect: "The upstream did not accept a connection in time"
        case .firstByte: "The upstream did not begin to answer in time"
        case .firstRecord: "The upstream sent no record in time"
        case .idle: "The upstream sent nothing more in time"
        }
    }
}
