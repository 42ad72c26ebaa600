/// How the end of a response's body is reported to the client.
package enum ResponseBodyLength: Equatable, Sendable {
    /// There is no body: HEAD, 204, 304.
    case none
    /// `Content-Length` is among the headers.
    case length
    /// Chunked for an HTTP/1.1 client, delimited by a close for an HTTP/1.0 client; a stream of HTTP/2 has its own end.
    case unknown
}
