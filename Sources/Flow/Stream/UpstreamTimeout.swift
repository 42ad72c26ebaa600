/// The timeouts of a route that end the upstream's part of a stream; the raw values are their keys in `timeouts`.
package enum UpstreamTimeout: String, Sendable {
    case firstByte = "first_byte"
    case firstRecord = "first_record"
    case betweenRecords = "between_records"
    case idle, pause, total

    /// Whether the upstream caused it, by not sending what was due.
    var isSilence: Bool {
        switch self {
        case .firstByte, .firstRecord, .betweenRecords, .idle: true
        case .pause, .total: false
        }
    }
}
