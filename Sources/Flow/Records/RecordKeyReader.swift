/// Finds the key of a record; the path to it, such as a JSON Pointer, is outside Flow.
package protocol RecordKeyReader: Sendable {
    /// Reads the key of a record.
    ///
    /// - Parameter record: One whole record with its newline, valid during the call; any bytes that an upstream may
    ///   send.
    /// - Returns: The key, or `nil` if the record has none or cannot be read.
    func key(of record: UnsafeRawBufferPointer) -> RecordKey?
}
