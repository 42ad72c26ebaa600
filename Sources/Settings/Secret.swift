/// A text that is never shown: neither its description nor a mirror of it contains it.
package struct Secret: Equatable, Sendable {
    private let bytes: [UInt8]

    /// Written instead of a secret, and never read as one.
    static let placeholder = "secret-not-shown"

    package init(_ text: String) { bytes = Array(text.utf8) }

    /// The text itself, to be sent where the configuration says; never to be logged.
    package var revealed: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether these are the secret's bytes, all of them.
    ///
    /// - Complexity: O(`candidate.count`), independent of the position of the first difference, so that the time
    ///   reveals nothing about the secret.
    package func matches(_ candidate: some Collection<UInt8>) -> Bool {
        var difference: UInt8 = candidate.count == bytes.count ? 0 : 1
        guard !bytes.isEmpty else { return false }
        for (index, byte) in candidate.enumerated() { difference |= byte ^ bytes[index % bytes.count] }
        return difference == 0
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
