extension RecordFramer {
    /// Passes the text of a record on, as a reader of the format gets it: of an event, the lines of its `data` joined with
    /// LF; of a sequence, the bytes after RS; a line is a text itself.
    ///
    /// One line of data, as most events have, is read in place; several are joined first.
    ///
    /// - Parameters:
    ///   - record: One whole record; blank bytes before and after it change nothing.
    ///   - body: Reads the text, which is valid during the call.
    /// - Returns: What `body` returns; `nil` if the record has no text.
    func withText<Value>(
        of record: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Value?
    ) -> Value? {
        switch self {
        case .lines, .opaque: return body(record)
        case .sequence: return body(record.from(SequenceText.textStart(record)))
        case .events:
            let lines = EventBlock.data(in: record)
            guard lines.count > 1 else {
                return lines.first.flatMap { body(UnsafeRawBufferPointer(rebasing: record[$0])) }
            }
            let text = lines.map { record[$0] }.joined(separator: CollectionOfOne(.lineFeed))
            return Array(text).withUnsafeBytes { body($0) }
        }
    }
}
