import HTTPText
import NIOHTTP1

/// Collects the fields of a request's head, or of its trailers, as they are decoded.
///
/// libnghttp2 has checked each field by RFC 9113, section 8; rules for several fields together are checked here.
struct HTTP2RequestHead {
    /// What is added to the bytes of each field (RFC 9113, section 6.5.2).
    private static let fieldOverhead = 32

    private let limit: Int
    private var size = 0
    /// The value of `:method`; also of a head that is too large or malformed.
    private(set) var method: String?
    private var path: String?
    private var authority: String?
    private var host: String?
    private var length: String?
    private var cookie: String?
    private var fields: [(String, String)] = []

    /// - Parameter limit: The most bytes that a head may have, counted as `SETTINGS_MAX_HEADER_LIST_SIZE` is.
    init(limit: Int) { self.limit = limit }

    /// Whether the head exceeds the limit; then no more fields are kept.
    var isTooLarge: Bool { size > limit }

    /// Whether it has more fields than the same head in HTTP/1.1 may have.
    var hasTooManyFields: Bool {
        let separate = [authority ?? host, cookie, length].count { $0 != nil }
        return fields.count + separate > Request.mostFields
    }

    mutating func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        size += name.count + value.count + Self.fieldOverhead
        guard !isTooLarge else { return }
        if name.first == UInt8(ascii: ":") {
            return addPseudoField(name, FieldText.string(UnsafeRawBufferPointer(value)))
        }
        let value = FieldText.string(UnsafeRawBufferPointer(value))
        switch name.count {
        case 4 where name.isText("host"): host = value
        // RFC 9113, section 8.2.3: HTTP/1.1 has one field.
        case 6 where name.isText("cookie"): cookie = cookie.map { $0 + "; " + value } ?? value
        case 14 where name.isText("content-length"): length = value
        default:
            guard fields.count <= Request.mostFields else { return }
            if fields.isEmpty { fields.reserveCapacity(16) }
            fields.append((String(decoding: name, as: UTF8.self), value))
        }
    }

    private mutating func addPseudoField(_ name: UnsafeBufferPointer<UInt8>, _ value: String) {
        if name.isText(":method") {
            method = value
        } else if name.isText(":path") {
            path = value
        } else if name.isText(":authority") {
            authority = value
        }
    }

    /// The fields of trailers, which have no pseudo-fields.
    var trailers: HTTPHeaders { HTTPHeaders(fields) }

    /// The head in the form of HTTP/1.1, so that nothing after this depends on the protocol.
    ///
    /// - Parameter hasBody: Whether the stream does not end with the head.
    /// - Returns: The head; `nil` if it is malformed.
    func head(hasBody: Bool) -> HTTPRequestHead? {
        // RFC 9113, section 8.3.1: they must not contradict each other.
        guard authority == nil || host == nil || authority == host else { return nil }
        guard let method, method.utf8.allSatisfy(\.isTokenByte) else { return nil }
        guard let target = target(of: method), target.utf8.allSatisfy(\.isTargetByte) else { return nil }
        var fields = fields
        if let cookie { fields.append(("cookie", cookie)) }
        if let length {
            fields.append(("content-length", length))
        } else if hasBody {
            fields.append(("transfer-encoding", "chunked"))
        }
        if let host = authority ?? host { fields.insert(("host", host), at: 0) }
        return HTTPRequestHead(
            version: .http2, method: HTTPMethod(rawValue: method), uri: target, headers: HTTPHeaders(fields))
    }

    /// The request's target: of CONNECT its authority (RFC 9113, section 8.5), of others a path, or `*` of OPTIONS.
    private func target(of method: String) -> String? {
        guard let path else { return method == "CONNECT" ? authority : nil }
        return path.utf8.first == UInt8(ascii: "/") || (path == "*" && method == "OPTIONS") ? path : nil
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate func isText(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && text.withUTF8Buffer { elementsEqual($0) }
    }
}
