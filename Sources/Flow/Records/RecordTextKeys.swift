/// Reads the keys of records that contain more than a JSON text, by passing that text to a reader of texts.
package struct RecordTextKeys: RecordKeyReader {
    private let texts: any RecordKeyReader
    private let framer: RecordFramer

    /// Makes a reader for the records of a framer.
    ///
    /// - Parameters:
    ///   - texts: Reads the key of a JSON text.
    ///   - framer: Finds the text in a record: of an event, the lines of its `data` joined with LF; of a sequence, the
    ///     bytes after RS; a line is a text itself.
    package init(_ texts: any RecordKeyReader, in framer: RecordFramer) {
        self.texts = texts
        self.framer = framer
    }

    package func key(of record: UnsafeRawBufferPointer) -> RecordKey? {
        switch framer {
        case .lines, .opaque: texts.key(of: record)
        case .events: keyOfEvent(record)
        case .sequence: texts.key(of: record.from(SequenceText.textStart(record)))
        }
    }

    /// One line of data, as most events have, is read in place; several are joined first.
    private func keyOfEvent(_ block: UnsafeRawBufferPointer) -> RecordKey? {
        let lines = EventBlock.data(in: block)
        guard lines.count > 1 else {
            return lines.first.flatMap { texts.key(of: UnsafeRawBufferPointer(rebasing: block[$0])) }
        }
        let text = lines.map { block[$0] }.joined(separator: CollectionOfOne(.lineFeed))
        return Array(text).withUnsafeBytes { texts.key(of: $0) }
    }
}
