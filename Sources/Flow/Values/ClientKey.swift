/// The identity of a client on its route: an address, or the value of the header that the route names.
///
/// Only equality matters. A header's value may be a secret, so a key is never logged.
package struct ClientKey: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }
}
