/// Finds the weight of a record; the path to it, such as a JSON Pointer, is outside Flow.
package protocol RecordWeightReader: Sendable {
    /// Reads the weight in the text of a record.
    ///
    /// - Parameter text: Of one whole record, valid during the call; any bytes that an upstream may send.
    /// - Returns: 0 to ``RecordWeights/heaviest``; `nil` if there is no such number or the text cannot be read.
    func weight(of text: UnsafeRawBufferPointer) -> Int?
}
