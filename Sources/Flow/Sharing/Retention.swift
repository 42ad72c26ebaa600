/// How much of a shared stream is kept for readers that are late or slow.
package struct Retention: Equatable, Sendable {
    package var records: Int
    /// Of memory: the records, and about 200 bytes for each piece in which they arrived.
    package var bytes: ByteCount
    /// `nil` if records are kept at any age.
    package var age: Duration?

    package init(records: Int = 1000, bytes: ByteCount = .mebibytes(4), age: Duration? = .seconds(60)) {
        (self.records, self.bytes, self.age) = (records, bytes, age)
    }
}
