import Flow

/// Cuts a block of lines at their ends, as their bytes arrive, and bounds its size.
///
/// A line ends with CRLF. RFC 9112, section 2.2, allows a recipient to accept a bare LF as a line end; this does not, because
/// not every parser does, and what parsers read differently smuggles requests. A bare CR is an error by that section.
struct LineBlock {
    /// The most bytes of all lines together, their ends included.
    private let limit: Int
    /// The fault if there are more.
    private let excess: RequestFault
    /// Of the lines that were taken.
    private var taken = 0
    /// Bytes of the next line without LF: they are not searched again.
    private var searched = 0

    init(limit: Int, excess: RequestFault = .headTooLarge) { (self.limit, self.excess) = (limit, excess) }

    /// Takes the next line.
    ///
    /// - Parameter bytes: What follows the last line.
    /// - Returns: The line without its end, which is two bytes more; `nil` if its end has not arrived.
    /// - Throws: The fault of a line that is too long, or does not end with CRLF.
    mutating func next(in bytes: UnsafeRawBufferPointer) throws(RequestFault) -> UnsafeRawBufferPointer? {
        guard let lineFeed = bytes.offset(of: .lineFeed, in: searched..<bytes.count) else {
            searched = bytes.count
            guard taken + searched <= limit else { throw excess }
            return nil
        }
        guard taken + lineFeed < limit else { throw excess }
        guard lineFeed > 0, bytes[lineFeed - 1] == .carriageReturn else { throw .malformed }
        taken += lineFeed + 1
        searched = 0
        return UnsafeRawBufferPointer(rebasing: bytes[..<(lineFeed - 1)])
    }
}
