import HTTPText

/// What a client prefers of the ways to be answered: the `Prefer` header (RFC 7240), as far as weir knows its words.
package struct Preferences: Equatable, Sendable {
    /// `respond-async`: rather 202 and a place to fetch the stream from than a refusal or a long wait.
    package var respondsAsync = false
    /// `wait=N`: seconds that the client would wait for an answer first; `nil` where it did not say.
    package var wait: Int?
    /// `stream-notices`: drops and abnormal ends are told in band, as records of their own.
    package var wantsNotices = false

    package init() {}

    /// Reads every `Prefer` of a request; what is malformed or unknown is passed over (RFC 7240, section 2).
    ///
    /// Of a preference that is named twice the first counts, as the RFC says. An empty list costs nothing.
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

    /// delay-seconds: digits; what is longer than a year is a year.
    private static func seconds(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else { return nil }
        return min(Int(text) ?? .max, 31_536_000)
    }
}
