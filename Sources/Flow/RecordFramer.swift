#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Finds whole records in bytes; holds none itself, so any cut of the input gives the same records.
///
/// NDJSON: a record ends with LF (CR before it belongs to the record's bytes and passes). A blank line, as some servers
/// send for a heartbeat, is no record: it leaves with the record after it, or at once where nothing waits.
package enum RecordFramer: Equatable, Sendable {
    /// Newline-delimited records.
    case lines
    /// No records: bytes that may be cut anywhere, for responses that are not a stream.
    case opaque

    /// The bytes at the front of an input that are whole records.
    package struct Run: Equatable, Sendable {
        package var records: Int
        package var bytes: Int

        package init(records: Int, bytes: Int) {
            self.records = records
            self.bytes = bytes
        }
    }

    package enum Failure: Error, Equatable {
        case recordTooLarge(limit: ByteCount)
    }

    /// Finds the longest run of whole records at the front.
    ///
    /// - Parameters:
    ///   - bytes: The input, beginning at the start of a record.
    ///   - searched: How many bytes of the first record are known to hold no newline.
    ///   - held: How many bytes of the first record stand elsewhere, in front of this input: 0, or at least 2.
    ///   - limit: The most records to find; blank lines in front of one more record than that are still taken.
    ///   - maximum: The longest record, its newline included.
    /// - Returns: The run; it ends in front of a record that is longer than `maximum`.
    /// - Throws: `recordTooLarge` where that is the first record, finished or not.
    /// - Complexity: One `memchr` a record. A vectorised loop of our own was 60 times slower at -O.
    package func run(
        in bytes: UnsafeRawBufferPointer, searched: Int = 0, held: Int = 0, upTo limit: Int = .max, maximum: ByteCount
    ) throws(Failure) -> Run {
        guard self == .lines else { return Run(records: 0, bytes: bytes.count) }
        guard let base = bytes.baseAddress else { return Run(records: 0, bytes: 0) }
        var run = Run(records: 0, bytes: 0)
        var (from, held) = (searched, held)
        while let newline = memchr(base + from, 0x0A, bytes.count - from) {
            let end = UnsafeRawPointer(newline) - base + 1
            let length = held + end - run.bytes
            guard length <= maximum.bytes else { return try ended(run, before: maximum) }
            let isBlank = length == 1 || (length == 2 && held == 0 && bytes[run.bytes] == 0x0D)
            if !isBlank {
                guard run.records < limit else { return run }
                run.records += 1
            }
            run.bytes = end
            (from, held) = (end, 0)
        }
        guard held + bytes.count - run.bytes <= maximum.bytes else { return try ended(run, before: maximum) }
        return run
    }

    /// Finds the first record, or blank line, alone.
    ///
    /// - Parameters:
    ///   - bytes: The input, beginning at the start of a record.
    ///   - searched: How many bytes of it are known to hold no newline.
    ///   - maximum: The longest record, its newline included.
    /// - Returns: It, with no record where it is a blank line; no bytes where it is not yet whole.
    /// - Throws: `recordTooLarge`, whether it is finished or not.
    package func first(
        in bytes: UnsafeRawBufferPointer, searched: Int = 0, maximum: ByteCount
    ) throws(Failure) -> Run {
        guard self == .lines else { return Run(records: 0, bytes: bytes.count) }
        guard let base = bytes.baseAddress else { return Run(records: 0, bytes: 0) }
        let newline = memchr(base + searched, 0x0A, bytes.count - searched)
        let length = newline.map { UnsafeRawPointer($0) - base + 1 } ?? bytes.count
        guard length <= maximum.bytes else { throw .recordTooLarge(limit: maximum) }
        guard newline != nil else { return Run(records: 0, bytes: 0) }
        let isBlank = length == 1 || (length == 2 && bytes[0] == 0x0D)
        return Run(records: isBlank ? 0 : 1, bytes: length)
    }

    /// What is found where a record that is too long follows: that record's turn comes when nothing is in front of it.
    private func ended(_ run: Run, before maximum: ByteCount) throws(Failure) -> Run {
        guard run.bytes > 0 else { throw .recordTooLarge(limit: maximum) }
        return run
    }
}
