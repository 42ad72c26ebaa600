import HTTPText
import NIOHTTP1

/// One element of `Forwarded` (RFC 7239, section 4): what one proxy reports of the hop before it.
struct ForwardedElement {
    private let pairs: [(name: Substring, value: String)]

    /// The value of a parameter such as `for`, without its quotes; `nil` if there is none, or an empty one.
    func value(of name: StaticString) -> String? {
        pairs.first { $0.name.isCaseInsensitively(name) }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// The elements of all lines, in their order.
    ///
    /// Separators in quoted strings do not count. Values that should be quoted and are not (`for=[::1]:80`) are accepted.
    ///
    /// - Returns: `nil` if an element is malformed: then parsers may split the field differently, and it cannot be trusted.
    static func all(in headers: HTTPHeaders) -> [ForwardedElement]? {
        var elements: [ForwardedElement] = []
        for line in headers["forwarded"] {
            guard let members = line[...].parts(separatedBy: ",") else { return nil }
            for member in members where !member.trimmingOptionalWhitespace.isEmpty {
                guard let element = ForwardedElement(member) else { return nil }
                elements.append(element)
            }
        }
        return elements
    }

    private init?(_ text: Substring) {
        var pairs: [(name: Substring, value: String)] = []
        for pair in text.parts(separatedBy: ";") ?? [] where !pair.trimmingOptionalWhitespace.isEmpty {
            let (head, tail) = pair.cut(at: "=")
            let name = head.trimmingOptionalWhitespace
            guard let value = tail?.trimmingOptionalWhitespace.unquoted, name.utf8.allSatisfy(\.isTokenByte) else {
                return nil
            }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }
}
