package import Flow

/// The name of a stream for operators: 16 hexadecimal digits, valid as long as the process runs.
///
/// The stream's id lets its holder end the stream, so it is not shown. `hashValue` is keyed with a secret of the process
/// (SipHash) and does not reveal the id.
package struct StreamHandle: Equatable, Sendable {
    private let hash: Int

    package init(of id: StreamId) { hash = id.hashValue }

    /// Reads the text form; `nil` unless it is 16 hexadecimal digits in lower case.
    package init?(_ text: some StringProtocol) {
        guard let bits = UInt64(text, radix: 16) else { return nil }
        hash = Int(bitPattern: UInt(bits))
        guard self.text == text else { return nil }
    }

    package var text: String { ShortHash.text(ofHash: hash, digits: 16) }
}

/// Names for secrets that may be shown: the same secret has the same name until the process ends.
enum ShortHash {
    static func text(of value: some Hashable, digits: Int) -> String { text(ofHash: value.hashValue, digits: digits) }

    fileprivate static func text(ofHash hash: Int, digits: Int) -> String {
        let text = String(UInt64(UInt(bitPattern: hash)), radix: 16)
        return String((String(repeating: "0", count: 16 - text.utf8.count) + text).suffix(digits))
    }
}
