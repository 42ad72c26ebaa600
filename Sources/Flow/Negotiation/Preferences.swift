import HTTPText

/// The client's preferences for the response: the members of `Prefer` (RFC 7240) that weir implements.
package struct Preferences: Equatable, Sendable {
    /// `respond-async`: 202 with the address of the stream, instead of a refusal or a long wait.
    package var respondsAsync = false
    /// `wait=N`: seconds that the client waits for a response first; `nil` if it did not send it.
    package var wait: Int?
    /// `stream-notices`: drops and abnormal ends are sent in the stream, as records of weir's own.
    package var wantsNotices = false

    package init() {}

    /// Reads every `Prefer` of a request; malformed and unknown members are ignored (RFC 7240, section 2).
    ///
    /// The first of two equal preferences counts, as the RFC says. An empty list costs nothing.
    package init(prefer values: [String]) {
        for value in values {
            var rest: Substring? = value[...]
            while let list = rest {
                let (element, tail) = list.cut(at: ",")
                read(element.cut(at: ";").head)
                rest = tail
            }
        }
    }

    private mutating func read(_ preference: Substring) {
        let (name, value) = preference.cut(at: "=")
        let word = name.trimmingOptionalWhitespace
        if word.isCaseInsensitively("respond-async") {
            respondsAsync = true
        } else if word.isCaseInsensitively("stream-notices") {
            wantsNotices = true
        } else if wait == nil, word.isCaseInsensitively("wait") {
            wait = value.flatMap { Self.seconds($0.trimmingOptionalWhitespace) }
        }
    }

    /// delay-seconds: digits; more than a year counts as a year.
    private static func seconds(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else { return nil }
        return min(Int(text) ?? .max, 31_536_000)
    }
}
