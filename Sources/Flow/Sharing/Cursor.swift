/// The position of one reader in a ``SharedLog``: 16 bytes.
package struct Cursor: Equatable, Sendable {
    /// The number of the next record, counted from the first of the pull.
    package var record: Int
    /// The position of the segment in which it is, or will be.
    var segment: Int

    init(record: Int, segment: Int) { (self.record, self.segment) = (record, segment) }

    /// Before the first record.
    package static let beginning = Cursor(record: 0, segment: 0)
}
