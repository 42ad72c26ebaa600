import HTTPText

/// The format of a stream's records.
package enum RecordFormat: Equatable, Sendable, CaseIterable {
    /// One JSON text per line.
    case ndjson
    /// Server-sent events: an empty line ends a record.
    case sse
    /// JSON text sequences (RFC 7464): RS begins a record.
    case jsonSequence

    /// The format of a content type, without regard to case and parameters; `nil` if it is not a stream's.
    ///
    /// `application/json` with the parameter `stream=watch`, which the Kubernetes API sends, is a stream of lines.
    package init?(contentType: Substring) {
        // The most frequent types of requests and responses that are no streams, for a part of what the tables cost.
        if contentType.utf8.count < Self.shortest || contentType.isCaseInsensitively("application/json") {
            return nil
        }
        let (head, parameters) = contentType.cut(at: ";")
        let type = head.trimmingOptionalWhitespace, length = type.utf8.count
        // Few types have the length of one of these: only those are compared.
        if let (_, format) = Self.types.first(where: {
            $0.name.utf8CodeUnitCount == length && type.isCaseInsensitively($0.name)
        }) {
            self = format
        } else if let (_, format) = Self.suffixes.first(where: { type.hasSuffixCaseInsensitively($0.name) }),
            type.utf8.contains(UInt8(ascii: "/"))
        {
            self = format
        } else if parameters != nil, type.isCaseInsensitively("application/json"), Self.isWatch(parameters) {
            self = .ndjson
        } else {
            return nil
        }
    }

    private static let types: [(name: StaticString, format: RecordFormat)] = [
        ("application/x-ndjson", .ndjson), ("application/ndjson", .ndjson), ("application/jsonl", .ndjson),
        ("application/x-jsonlines", .ndjson), ("application/jsonlines", .ndjson), ("application/json-lines", .ndjson),
        ("application/stream+json", .ndjson), ("application/x-json-stream", .ndjson), ("text/x-ndjson", .ndjson),
        ("application/json-seq", .jsonSequence), ("text/event-stream", .sse),
    ]

    /// Structured syntax suffixes (RFC 6838, section 4.2.8); `+json-seq` is registered by RFC 8091.
    private static let suffixes: [(name: StaticString, format: RecordFormat)] = [
        ("+ndjson", .ndjson), ("+json-seq", .jsonSequence),
    ]

    /// The length of `/+ndjson`; no type in ``types`` is shorter.
    private static let shortest = 8

    private static func isWatch(_ parameters: Substring?) -> Bool {
        var rest = parameters
        while let list = rest {
            let (parameter, tail) = list.cut(at: ";")
            let (name, value) = parameter.cut(at: "=")
            if name.trimmingOptionalWhitespace.isCaseInsensitively("stream"), let value {
                let value = value.trimmingOptionalWhitespace
                return value.isCaseInsensitively("watch") || value.isCaseInsensitively("\"watch\"")
            }
            rest = tail
        }
        return false
    }
}

extension Substring {
    /// Whether this ends with `suffix` (ASCII in lower case), compared case-insensitively, after at least one other
    /// byte.
    fileprivate func hasSuffixCaseInsensitively(_ suffix: StaticString) -> Bool {
        var text = self
        return text.withUTF8 { text in
            suffix.withUTF8Buffer { suffix in
                text.count > suffix.count
                    && text.suffix(suffix.count).elementsEqual(suffix, by: { $0.lowercasedASCII == $1 })
            }
        }
    }
}
