/// A host and optionally a port: `uri-host [ ":" port ]` of `Host`, `:authority` and URLs (RFC 9110, section 7.2).
///
/// The only parser of this grammar. It accepts what RFC 3986, section 3.2, allows for `http` and nothing else: no user,
/// no path, no empty host.
package struct Authority: Equatable, Sendable {
    /// A name or an address as it was written, without brackets.
    package let host: Substring
    /// `nil` if there is none, or an empty one, as in `example.com:`.
    package let port: Int?

    /// Reads a registered name, an IPv4 address or an IPv6 address in brackets, with or without a port from 0 to 65535.
    ///
    /// `nil` for anything else. A comma, which the grammar allows, is rejected: other parsers would read a list.
    ///
    /// - Parameter text: Without surrounding white space.
    /// - Complexity: O(n), without allocation for names.
    package init?(_ text: Substring) {
        let rest: Substring
        if text.utf8.first == UInt8(ascii: "[") {
            guard let bracket = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            host = text[text.utf8.index(after: text.startIndex)..<bracket]
            // Only IPv6: IPvFuture and zones are not supported.
            guard host.utf8.contains(UInt8(ascii: ":")), IPAddress(String(host)) != nil else { return nil }
            rest = text[text.utf8.index(after: bracket)...]
        } else {
            guard let length = Self.lengthOfName(in: text) else { return nil }
            let end = text.utf8.index(text.startIndex, offsetBy: length)
            host = text[..<end]
            rest = text[end...]
        }
        let digits = rest.utf8.dropFirst()
        guard !digits.isEmpty else {
            guard rest.isEmpty || rest.utf8.first == UInt8(ascii: ":") else { return nil }
            port = nil
            return
        }
        guard rest.utf8.first == UInt8(ascii: ":"), let port = Int(digits: digits), port <= 65535 else { return nil }
        self.port = port
    }

    package init?(_ text: String) { self.init(text[...]) }

    /// The text of a host, without brackets, and a port.
    package static func text(host: some StringProtocol, port: Int?) -> String {
        let host = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : String(host)
        return port.map { "\(host):\($0)" } ?? host
    }

    /// The bytes of `1*( unreserved / pct-encoded / sub-delims )` except the comma (RFC 3986, section 3.2.2), which the first
    /// colon or the text's end delimits.
    ///
    /// - Returns: `nil` for anything else.
    private static func lengthOfName(in text: Substring) -> Int? {
        var text = text
        return text.withUTF8 { bytes in
            let length = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            var hexDigitsDue = 0
            for byte in bytes[..<length] {
                if hexDigitsDue > 0 {
                    guard byte.isHexDigit else { return nil }
                    hexDigitsDue -= 1
                } else if byte == UInt8(ascii: "%") {
                    hexDigitsDue = 2
                } else if !byte.isNameByte {
                    return nil
                }
            }
            return hexDigitsDue == 0 && length > 0 ? length : nil
        }
    }
}

extension UInt8 {
    /// `unreserved / sub-delims` without the comma.
    fileprivate var isNameByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("): true
        case UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ";"), UInt8(ascii: "="): true
        default: false
        }
    }

    fileprivate var isHexDigit: Bool { isDigit || (0x61...0x66).contains(lowercasedASCII) }
}
