/// A reply of the server in RESP2 (redis.io/docs/latest/develop/reference/protocol-spec).
package enum Reply: Equatable, Sendable {
    /// A simple string, such as `OK`.
    case status(String)
    case error(ServerError)
    case integer(Int64)
    /// An array of integers alone, at least one.
    case integers([Int64])
    /// A bulk string.
    case bytes([UInt8])
    /// Any other array.
    case array([Reply])
    /// A null bulk string or a null array.
    case null

    /// The text of a status or a bulk string; `nil` for other replies and for bytes that are not UTF-8.
    package var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .error, .integer, .integers, .array, .null: nil
        }
    }

    /// The items of an array; `nil` for other replies.
    package var items: [Reply]? {
        switch self {
        case .array(let items): items
        case .integers(let numbers): numbers.map { .integer($0) }
        case .status, .error, .integer, .bytes, .null: nil
        }
    }
}
