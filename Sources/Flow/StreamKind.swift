import HTTPText

/// How the records of a stream are told apart.
package enum RecordFormat: Equatable, Sendable, CaseIterable {
    /// One JSON text a line.
    case ndjson
    /// Server-sent events: a record ends with an empty line.
    case sse
    /// JSON text sequences (RFC 7464): a record begins with RS.
    case jsonSequence

    /// The format that a content type stands for, whatever its case and its parameters; `nil` for one of no stream.
    package init?(contentType: Substring) {
        let type = contentType.cut(at: ";").head.trimmingOptionalWhitespace
        guard let (_, format) = Self.types.first(where: { type.isCaseInsensitively($0.name) }) else { return nil }
        self = format
    }

    private static let types: [(name: StaticString, format: RecordFormat)] = [
        ("application/x-ndjson", .ndjson), ("application/ndjson", .ndjson), ("application/jsonl", .ndjson),
        ("application/x-jsonlines", .ndjson), ("application/json-seq", .jsonSequence), ("text/event-stream", .sse),
    ]
}

extension Framing {
    /// How to cut a response into records, or `nil` where it is no stream and passes unmetered.
    ///
    /// A response is a stream when it is 2xx, has a body (204 has none, nor has an answer to HEAD) and the route's
    /// framing names a format, or is `.auto` and its content type does.
    package func recordFormat(status: Int, contentType: String?, hasBody: Bool) -> RecordFormat? {
        guard (200...299).contains(status), hasBody else { return nil }
        return switch self {
        case .auto: contentType.flatMap { RecordFormat(contentType: $0[...]) }
        case .ndjson: .ndjson
        case .sse: .sse
        case .jsonSequence: .jsonSequence
        case .none: nil
        }
    }
}
