#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension UnsafeRawBufferPointer {
    /// The offset of the first occurrence of a byte within a range of the buffer; `nil` if there is none.
    ///
    /// Uses `memchr`: a vectorised loop in Swift was 60 times slower at -O.
    @inline(__always)
    package func offset(of byte: UInt8, in range: Range<Int>) -> Int? {
        guard let baseAddress, let found = memchr(baseAddress + range.lowerBound, Int32(byte), range.count) else {
            return nil
        }
        return UnsafeRawPointer(found) - baseAddress
    }

    /// The offset of the first occurrence of either of two bytes within a range of the buffer; `nil` if there is none.
    ///
    /// Searches in windows, so that a rare byte is not searched for through all following bytes again and again.
    @inline(__always)
    func offset(of one: UInt8, or other: UInt8, in range: Range<Int>) -> Int? {
        var (from, window) = (range.lowerBound, 512)
        while from < range.upperBound {
            let end = Swift.min(from + window, range.upperBound)
            let found = offset(of: one, in: from..<end) ?? end
            if let before = offset(of: other, in: from..<found) { return before }
            if found < end { return found }
            (from, window) = (end, 2 * window)
        }
        return nil
    }

    /// The bytes from an offset on, without a copy.
    @inline(__always)
    func from(_ offset: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[offset...]) }

    /// The first `count` bytes, without a copy.
    @inline(__always)
    func first(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[..<count]) }
}

extension UInt8 {
    /// Ends a line, alone or after CR.
    package static let lineFeed: UInt8 = 0x0A
    /// Ends a line of server-sent events, alone or before LF.
    package static let carriageReturn: UInt8 = 0x0D
    /// RS, which begins a text of a JSON sequence.
    static let recordSeparator: UInt8 = 0x1E
}
