/// The client of a connection, and how it is reached.
struct ConnectionPeer {
    /// Without its port; empty for a unix socket.
    let address: String
    /// Between the connection and its socket; `nil` without TLS.
    let cipher: TLSOutboundTap?
    /// The hash of the certificate that the client presented; `nil` if it presented none.
    var certificate: String?
}
