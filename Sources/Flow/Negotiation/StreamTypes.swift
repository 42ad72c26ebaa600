import HTTPText

/// Media types that are streams on a route, in addition to those of ``RecordFormat/init(contentType:)``.
package struct StreamTypes: Equatable, Sendable {
    /// `type/subtype` in lower case, without parameters.
    package var ndjson: [String] = []
    package var sse: [String] = []
    package var jsonSequence: [String] = []

    package init() {}

    package var isEmpty: Bool { ndjson.isEmpty && sse.isEmpty && jsonSequence.isEmpty }

    /// The format of a content type on this route; `nil` if it is not a stream's.
    package func format(ofContentType contentType: Substring) -> RecordFormat? {
        guard !isEmpty else { return RecordFormat(contentType: contentType) }
        let type = contentType.cut(at: ";").head.trimmingOptionalWhitespace.lowercased()
        if ndjson.contains(type) { return .ndjson }
        if sse.contains(type) { return .sse }
        if jsonSequence.contains(type) { return .jsonSequence }
        return RecordFormat(contentType: contentType)
    }
}
