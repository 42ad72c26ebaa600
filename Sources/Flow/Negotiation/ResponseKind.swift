/// How a response is handled: as a stream of records, or as a body that passes unchanged.
package enum ResponseKind: Equatable, Sendable {
    case stream(RecordFormat)
    /// A stream whose content coding hides its records.
    case coded(ContentCoding)
    /// A long body of a type that is not a stream's, for which a rate was granted.
    case unknownType
    case plain

    /// The maximum length of a body that counts as one document rather than records: the default of `buffer.max_bytes`.
    package static let longestDocument = ByteCount.mebibytes(1)

    /// The parts of a response's head that decide.
    package struct Head: Sendable {
        package var status: Int
        package var contentType: String?
        /// The members of all `Content-Encoding` fields.
        package var codings: [Substring]
        /// The length of the body; `nil` if the head does not contain it.
        package var length: Int?
        package var hasBody: Bool

        package init(
            status: Int, contentType: String?, codings: [Substring] = [], length: Int? = nil, hasBody: Bool = true
        ) {
            self.status = status
            self.contentType = contentType
            self.codings = codings
            self.length = length
            self.hasBody = hasBody
        }
    }

    /// Classifies a response.
    ///
    /// It is a stream if it is 2xx, has a body (204 has none, nor has a response to HEAD), has no content coding, and
    /// the route's framing is a format, or is `.auto` and the content type is a stream's.
    ///
    /// - Parameters:
    ///   - head: The response's.
    ///   - framing: The route's.
    ///   - types: Media types that the route adds.
    ///   - isRateGranted: Whether the client or the route expects a pace.
    package init(_ head: Head, framing: Framing, types: StreamTypes = .init(), isRateGranted: Bool = false) {
        guard (200...299).contains(head.status), head.hasBody, framing != .none else {
            self = .plain
            return
        }
        guard let format = framing.format(ofContentType: head.contentType, types: types) else {
            let isLong = head.length.map { $0 > Self.longestDocument.bytes } ?? true
            self = isRateGranted && isLong ? .unknownType : .plain
            return
        }
        self = head.codings.lazy.compactMap { ContentCoding($0) }.first.map { .coded($0) } ?? .stream(format)
    }

    package var format: RecordFormat? { if case .stream(let format) = self { format } else { nil } }

    /// The reason for which the rate is not applied, if it must be reported.
    package var unmeteredCause: UnmeteredCause? {
        switch self {
        case .coded: .contentEncoding
        case .unknownType: .contentType
        case .stream, .plain: nil
        }
    }
}

extension Framing {
    fileprivate func format(ofContentType contentType: String?, types: StreamTypes) -> RecordFormat? {
        switch self {
        case .auto: contentType.flatMap { types.format(ofContentType: $0[...]) }
        case .ndjson: .ndjson
        case .sse: .sse
        case .jsonSequence: .jsonSequence
        case .none: nil
        }
    }
}
