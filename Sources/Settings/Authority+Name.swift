import HTTPText

extension Authority {
    /// Reads an authority of the configuration: its host is an address, or a name that DNS can hold.
    ///
    /// Stricter than for requests: a name that looks like an address in digits, or a colon without a port, is an error.
    init?(written text: some StringProtocol) {
        let text = Substring(text)
        self.init(text)
        let isName = Self.isName(host) && !Self.endsInNumber(host)
        guard isName || IPAddress(String(host)) != nil, text.utf8.last != UInt8(ascii: ":") else { return nil }
        // YAML 1.1 would read a port with a leading zero as octal.
        guard port == nil || text.hasSuffix(":\(port ?? 0)") else { return nil }
    }

    var text: String { Self.text(host: host, port: port) }

    /// Whether some resolvers would read the name as an address in digits: `127.1`, `2130706433`.
    private static func endsInNumber(_ name: Substring) -> Bool {
        name.split(separator: ".").last?.utf8.allSatisfy(\.isDigit) ?? false
    }

    /// Whether the text is a name: letters, digits, `-`, `_` and single dots between them.
    private static func isName(_ text: Substring) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy {
                    $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
        }
    }
}
