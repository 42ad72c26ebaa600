/// The identity of a client on its route: an address, or the value of the header that the route names.
///
/// Only equality matters. A header's value may be a secret, so a key is never logged.
package struct ClientKey: Hashable, Sendable {
    package let text: String
    /// Computed once: a request looks its client up five times.
    private let textHash: Int

    package init(_ text: String) { (self.text, textHash) = (text, text.hashValue) }

    package static func == (left: ClientKey, right: ClientKey) -> Bool {
        left.textHash == right.textHash && left.text == right.text
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(textHash) }
}
