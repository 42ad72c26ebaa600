import NIOCore

/// The first bytes of a client that speaks HTTP/2 without a negotiation (RFC 9113, section 3.4).
enum HTTP2Preface {
    enum Match: Equatable { case no, partly, whole }

    private static let bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// Whether a connection that begins with these bytes speaks HTTP/2.
    ///
    /// No request of HTTP/1.1 begins so: the method `PRI` is reserved for this.
    static func match(_ opening: ByteBuffer) -> Match {
        let known = opening.readableBytesView.prefix(bytes.count)
        guard known.elementsEqual(bytes.prefix(known.count)) else { return .no }
        return known.count == bytes.count ? .whole : .partly
    }
}
