/// A reply of the server in RESP2 (redis.io/docs/latest/develop/reference/protocol-spec).
package enum Reply: Equatable, Sendable {
    /// A simple string, such as `OK`.
    case status(String)
    case error(ServerError)
    case integer(Int64)
    /// A bulk string.
    case bytes([UInt8])
    case array([Reply])
    /// A null bulk string or a null array.
    case null

    /// The text of a status or a bulk string; `nil` for other replies and for bytes that are not UTF-8.
    package var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .error, .integer, .array, .null: nil
        }
    }

    /// The number of an integer reply; `nil` for other replies.
    package var number: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    /// The items of an array; `nil` for other replies.
    package var items: [Reply]? {
        guard case .array(let items) = self else { return nil }
        return items
    }
}
