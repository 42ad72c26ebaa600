/// Reads the keys of records that contain more than a JSON text, by passing that text to a reader of texts.
package struct RecordTextKeys: RecordKeyReader {
    private let texts: any RecordKeyReader
    private let framer: RecordFramer

    /// Makes a reader for the records of a framer.
    ///
    /// - Parameters:
    ///   - texts: Reads the key of a JSON text.
    ///   - framer: Finds the text in a record.
    package init(_ texts: any RecordKeyReader, in framer: RecordFramer) {
        self.texts = texts
        self.framer = framer
    }

    package func key(of record: UnsafeRawBufferPointer) -> RecordKey? {
        framer.withText(of: record) { texts.key(of: $0) }
    }
}
