/// The other end of a connection, and how it is reached.
struct ConnectionPeer {
    /// Without its port; empty for a unix socket.
    let address: String
    /// What is between the connection and its socket; `nil` without TLS.
    let cipher: TLSOutboundTap?
    /// The hash of the certificate that the client showed; `nil` if it showed none.
    var certificate: String?
}
