/// A number of bytes; never negative.
package struct ByteCount: Hashable, Comparable, Sendable {
    package var bytes: Int

    package init(_ bytes: Int) {
        precondition(bytes >= 0, "a number of bytes is never negative")
        self.bytes = bytes
    }

    package static let zero = ByteCount(0)
    // Products, not shifts: a shift drops overflowing bits silently.
    package static func kibibytes(_ count: Int) -> ByteCount { ByteCount(count * 1024) }
    package static func mebibytes(_ count: Int) -> ByteCount { ByteCount(count * 1024 * 1024) }
    package static func gibibytes(_ count: Int) -> ByteCount { ByteCount(count * 1024 * 1024 * 1024) }

    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
    package static func + (left: ByteCount, right: ByteCount) -> ByteCount { ByteCount(left.bytes + right.bytes) }
}
