import NIOHTTP1

/// The receiving side of a stream of HTTP/2: its head and trailers as they are decoded, and the window of its body.
struct HTTP2RequestReception {
    /// What a block of fields was.
    enum Block: Equatable {
        /// The request's head, well-formed or not.
        case head
        case trailers
        /// Trailers that are larger than the limit.
        case tooLarge
    }

    private let limit: Int
    /// While a block of fields arrives.
    private var fields: HTTP2RequestHead?
    /// Until it is taken.
    private(set) var request: Request?
    /// Why the head is no request.
    private(set) var fault: RequestFault?
    private(set) var trailers = HTTPHeaders()
    /// Whether the method is HEAD: the response has no body.
    private(set) var isHead = false
    private(set) var acceptsTrailers = false
    private var hasHead = false
    /// Whether the client has ended its side of the stream.
    private(set) var hasEnded = false
    /// Whether the window is given back for bytes that arrive.
    private var isReading = true
    /// Bytes whose part of the window has not been given back.
    private var unconsumed = 0

    /// A head begins to arrive; `limit` bounds it.
    @inline(__always) init(limit: Int) {
        self.limit = limit
        fields = HTTP2RequestHead(limit: limit)
    }

    // MARK: Fields

    mutating func trailersBegan() { fields = HTTP2RequestHead(limit: limit) }

    mutating func fieldArrived(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        fields?.add(name, value)
    }

    /// A block of fields is complete.
    ///
    /// - Parameters:
    ///   - endsStream: Whether nothing follows it.
    ///   - peer: The client.
    /// - Returns: What it was; `nil` if none was expected.
    mutating func fieldsEnded(endsStream: Bool, from peer: ConnectionPeer) -> Block? {
        guard let fields = fields.take() else { return nil }
        guard !hasHead else {
            if fields.isTooLarge || fields.hasTooManyFields { return .tooLarge }
            trailers = fields.trailers
            return .trailers
        }
        (hasHead, hasEnded) = (true, endsStream)
        do throws(RequestFault) {
            let request = try Self.request(fields, endsStream: endsStream, from: peer)
            (isHead, acceptsTrailers) = (request.isHead, request.acceptsTrailers)
            self.request = request
        } catch {
            // RFC 9110, section 9.3.2: the problem document would be content in a response to HEAD.
            isHead = fields.method == "HEAD"
            fault = error
        }
        return .head
    }

    private static func request(
        _ fields: HTTP2RequestHead, endsStream: Bool, from peer: ConnectionPeer
    ) throws(RequestFault) -> Request {
        guard !fields.isTooLarge else { throw .headTooLarge }
        guard !fields.hasTooManyFields else { throw .tooManyFields }
        guard let head = fields.head(hasBody: !endsStream) else { throw .malformed }
        var request = try Request(
            head: head, peer: peer.address, isSecure: peer.cipher != nil, certificate: peer.certificate)
        request.redirectPort = peer.redirectPort
        return request
    }

    /// Takes the request for the handler.
    mutating func takeRequest() -> Request? { request.take() }

    // MARK: The body

    mutating func bytesArrived(_ count: Int) { unconsumed += count }

    mutating func ended() { hasEnded = true }

    mutating func setReading(_ reads: Bool) { isReading = reads }

    /// Takes the bytes whose window is to be given back now; none while the body is not read, or after its end.
    mutating func takeWindow() -> Int {
        guard isReading, !hasEnded else { return 0 }
        defer { unconsumed = 0 }
        return unconsumed
    }
}
