package import NIOCore
package import NIOHTTP1

/// A part of a request of HTTP/1.1, in the order of the wire: a head, bytes of the body, the end.
package enum RequestPart: Equatable {
    case head(DecodedHead)
    case body(ByteBuffer)
    /// The request is complete; with the fields of its trailer section.
    case end(HTTPHeaders)
}

/// The head of a request, with the framing of its body and the persistence of its connection.
package struct DecodedHead: Equatable {
    /// `Content-Length` in it is one canonical number.
    package let head: HTTPRequestHead
    package let bodyLength: RequestBodyLength
    /// Whether the client keeps the connection open after the response (RFC 9112, section 9.3).
    package let isPersistent: Bool
}
