/// A text that nothing tells: neither its description nor a mirror of it shows more than that there is one.
package struct Secret: Equatable, Sendable {
    private let bytes: [UInt8]

    package init(_ text: String) { bytes = Array(text.utf8) }

    /// Whether these are the secret's bytes, all of them.
    ///
    /// - Complexity: O(`candidate.count`), wherever the first difference is: how long it takes tells a guesser nothing of
    ///   the secret.
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
