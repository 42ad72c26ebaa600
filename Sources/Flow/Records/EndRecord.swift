/// The record with which a complete stream ends, such as `[DONE]`.
package struct EndRecord: Sendable {
    private let reader: any RecordKeyReader
    private let keys: Set<RecordKey>

    /// - Parameters:
    ///   - reader: Reads the part of a record that is compared.
    ///   - keys: The values that end a stream.
    package init(_ reader: any RecordKeyReader, in keys: Set<RecordKey>) { (self.reader, self.keys) = (reader, keys) }

    /// A record whose whole text is this one, without white space around it.
    package init(text: String, in framer: RecordFramer) {
        var text = text
        let key = text.withUTF8 { WholeText().key(of: UnsafeRawBufferPointer($0)) }
        self.init(RecordTextKeys(WholeText(), in: framer), in: key.map { [$0] } ?? [])
    }

    /// Whether a record, one whole record as `RecordFramer` finds it, ends the stream.
    package func matches(_ record: UnsafeRawBufferPointer) -> Bool {
        reader.key(of: record).map(keys.contains) ?? false
    }
}

/// The text of a record, without the white space of JSON around it (RFC 8259, section 2).
private struct WholeText: RecordKeyReader {
    func key(of record: UnsafeRawBufferPointer) -> RecordKey? {
        guard let start = record.firstIndex(where: { !Self.isSpace($0) }),
            let last = record.lastIndex(where: { !Self.isSpace($0) })
        else { return nil }
        return RecordKey(UnsafeRawBufferPointer(rebasing: record[start...last]))
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == .lineFeed || byte == .carriageReturn || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}
