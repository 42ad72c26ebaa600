import HTTPText
package import NIOHTTP1

/// How the end of a request's body is found (RFC 9112, section 6.3).
///
/// It is computed once, when the head is received. Nothing reads `Content-Length` or `Transfer-Encoding` again: two parsers of
/// one field may disagree about where the next request begins.
package enum RequestBodyLength: Equatable, Sendable {
    /// Neither field was sent: there is no body.
    case none
    /// `Content-Length`, which may be 0.
    case length(Int)
    /// The last chunk, or over HTTP/2 the end of the stream.
    case chunked

    /// Reads the fields of a head whose values have no white space around them.
    ///
    /// `Transfer-Encoding` must be `chunked` alone, in one line, and without `Content-Length` (sections 6.1 and 6.3). HTTP/1.0
    /// has no transfer codings. `Content-Length` must be one number in one line: lists of equal numbers, which a recipient may
    /// accept, are read differently by others.
    ///
    /// - Throws: `RequestFault.malformed`: the connection cannot be read any further.
    package init(of head: HTTPRequestHead) throws(RequestFault) {
        self = .none
        for (name, value) in head.headers {
            switch name.utf8.count {
            case 14 where name.isField("content-length"): _ = try readLength(value)
            case 17 where name.isField("transfer-encoding"): try readCoding(value, in: head.version)
            default: continue
            }
        }
    }

    /// Reads one line of `Content-Length`.
    ///
    /// - Returns: The number.
    mutating func readLength(_ value: String) throws(RequestFault) -> Int {
        guard self == .none, let length = Int(digits: value.utf8) else { throw .malformed }
        self = .length(length)
        return length
    }

    /// Reads one line of `Transfer-Encoding`.
    mutating func readCoding(_ value: String, in version: HTTPVersion) throws(RequestFault) {
        guard self == .none, value[...].isCaseInsensitively("chunked"), version != .http1_0 else { throw .malformed }
        self = .chunked
    }

    /// Whether bytes follow the head.
    package var hasBody: Bool { self != .none && self != .length(0) }

    /// The number of bytes, if the head declares it: 0 without a body, `nil` for a chunked one.
    package var bytes: Int? {
        switch self {
        case .none: 0
        case .length(let bytes): bytes
        case .chunked: nil
        }
    }
}
