#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension UnsafeRawBufferPointer {
    /// The first place of a byte within a range that lies in the buffer; `nil` where it is not there.
    ///
    /// By `memchr`: a vectorised loop of our own was 60 times slower at -O.
    @inline(__always)
    package func place(of byte: UInt8, in range: Range<Int>) -> Int? {
        guard let baseAddress, let found = memchr(baseAddress + range.lowerBound, Int32(byte), range.count) else {
            return nil
        }
        return UnsafeRawPointer(found) - baseAddress
    }

    /// The first place of either of two bytes within a range that lies in the buffer; `nil` where neither is there.
    ///
    /// Looks in windows, so that a byte that is rare is not looked for through all that follows, again and again.
    @inline(__always)
    func place(of one: UInt8, or other: UInt8, in range: Range<Int>) -> Int? {
        var (from, window) = (range.lowerBound, 512)
        while from < range.upperBound {
            let end = Swift.min(from + window, range.upperBound)
            let found = place(of: one, in: from..<end) ?? end
            if let before = place(of: other, in: from..<found) { return before }
            if found < end { return found }
            (from, window) = (end, 2 * window)
        }
        return nil
    }

    /// The bytes from a place on, of which nothing is copied.
    @inline(__always)
    func from(_ place: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[place...]) }

    /// The first so many bytes, of which nothing is copied.
    @inline(__always)
    func first(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[..<count]) }
}

extension UInt8 {
    /// Ends a line, alone or behind CR.
    package static let lineFeed: UInt8 = 0x0A
    /// Ends a line of server-sent events, alone or in front of LF.
    package static let carriageReturn: UInt8 = 0x0D
    /// RS, which begins a text of a JSON sequence.
    static let recordSeparator: UInt8 = 0x1E
}
