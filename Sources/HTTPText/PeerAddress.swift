/// The address of a connection's other end, parsed once for all of its requests.
package struct PeerAddress: Equatable, Sendable {
    /// Without its port, as the system writes it; empty for a unix socket.
    package let text: String
    /// `nil` for a unix socket.
    package let address: IPAddress?
    /// The shortest text of the address (RFC 5952); empty for a unix socket.
    package let canonical: String

    package init(_ text: String) {
        self.text = text
        address = IPAddress(text)
        // An IPv4 address is in its shortest form already.
        canonical = address.map { text.contains(byte: UInt8(ascii: ":")) ? $0.text : text } ?? ""
    }
}
