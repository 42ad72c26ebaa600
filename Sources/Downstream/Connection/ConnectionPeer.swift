import HTTPText

/// The client of a connection, and how it is reached.
struct ConnectionPeer {
    let address: PeerAddress
    /// Between the connection and its socket; `nil` without TLS.
    let cipher: TLSOutboundTap?
    /// The port of the `https:` URLs to which its requests are redirected; `nil` if they are served.
    var redirectPort: Int?
    /// The hash of the certificate that the client presented; `nil` if it presented none.
    var certificate: String?
}
