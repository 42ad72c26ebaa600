import HTTPText

/// The media type of a problem document.
package enum ProblemMediaType: String, Sendable {
    case json = "application/json"
    /// RFC 9457, section 3.
    case problemJSON = "application/problem+json"

    /// The type for a client that sent this `Accept`; `nil` if it sent none.
    ///
    /// `application/problem+json` if it is listed by that name with a weight above zero, else `application/json`.
    /// Ranges such as `*/*` do not count: only a client that names the type gets it.
    package init(accept: String?) {
        self = .json
        var rest = accept.map { $0[...] }
        while let list = rest {
            let (element, tail) = list.cut(at: ",")
            let (type, parameters) = element.cut(at: ";")
            if type.trimmingOptionalWhitespace.isCaseInsensitively("application/problem+json"),
                !Self.hasZeroWeight(parameters)
            {
                self = .problemJSON
                return
            }
            rest = tail
        }
    }

    /// Whether the parameters of a media range hold a `q` of zero: `0`, or `0.` and up to three zeros.
    private static func hasZeroWeight(_ parameters: Substring?) -> Bool {
        var rest = parameters
        while let list = rest {
            let (parameter, tail) = list.cut(at: ";")
            let (name, value) = parameter.cut(at: "=")
            if let value, name.trimmingOptionalWhitespace.isCaseInsensitively("q") {
                let weight = value.trimmingOptionalWhitespace.utf8
                return weight.first == UInt8(ascii: "0")
                    && weight.dropFirst().allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
            }
            rest = tail
        }
        return false
    }
}
