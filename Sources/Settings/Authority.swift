/// A host and perhaps a port, as they stand in a URL (RFC 3986, section 3.2) and in `Host` (RFC 9110, section 7.2).
package struct Authority: Equatable {
    /// A name or an address, without brackets.
    package var host: String
    package var port: Int?

    init(host: String, port: Int?) { (self.host, self.port) = (host, port) }

    /// Reads `host`, `host:80`, `[::1]` or `[::1]:80`; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let text = Substring(text)
        let rest: Substring
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<bracket])
            // Between brackets stands IPv6 and nothing else.
            guard host.contains(":"), IPAddress(host) != nil else { return nil }
            rest = text[text.index(after: bracket)...]
        } else {
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            host = String(text[..<colon])
            guard Self.isName(host), !Self.endsInNumber(host) || IPAddress(host) != nil else { return nil }
            rest = text[colon...]
        }
        guard !rest.isEmpty else { return }
        guard rest.first == ":", let port = Int(wholeNumber: rest.dropFirst()), port <= 65535 else { return nil }
        self.port = port
    }

    var text: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(host):\($0)" } ?? host
    }

    /// Whether some resolvers would take the name for an address in digits: `127.1`, `2130706433`.
    private static func endsInNumber(_ name: String) -> Bool {
        name.split(separator: ".").last?.utf8.allSatisfy(\.isDigit) ?? false
    }

    /// Whether the text could be a name or an IPv4 address: letters, digits, `-`, `_` and single dots between them.
    static func isName(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy {
                    $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
        }
    }
}
