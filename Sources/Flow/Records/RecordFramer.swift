/// Finds whole records in bytes; it stores none, so any cut of the input gives the same records.
///
/// Bytes between records, and bytes that cannot be a record, are *blank*: they are sent with the record after them, or
/// at once if nothing else waits.
///
///     lines      a record ends with LF; CR before it belongs to it           blank: an empty line
///     events     a record is a block of lines, and ends with an empty one    blank: a block without `data`, a comment
///                                                                            or `retry` before a block
///     sequence   a record begins with RS, and ends with LF or before RS      blank: space before RS
package enum RecordFramer: Hashable, Sendable, CaseIterable {
    /// Newline-delimited records.
    case lines
    /// Server-sent events, see ``EventBlock``.
    case events
    /// A JSON text sequence (RFC 7464), see ``SequenceText``.
    case sequence
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

    /// The input has a record that is too long.
    package enum Failure: Error, Equatable {
        case recordTooLarge(limit: ByteCount)
    }

    /// The search position in a record that has not ended, so that no byte is searched twice.
    package struct Progress: Equatable, Sendable {
        /// Bytes of it that are known not to end it.
        package var searched = 0
        /// The open strings, arrays and objects of a text of a sequence.
        var text = SequenceText()

        package init() {}
    }

    /// Whether ``run(in:from:held:upTo:maximum:)`` can continue a record whose first bytes are in another buffer.
    ///
    /// Of a line it needs to know only whether those bytes are a single CR; of other records it needs all bytes.
    package func canContinue(after held: Int) -> Bool { held == 0 || (self == .lines && held != 1) }

    /// The number of bytes to add to a begun record before the first check whether it can be continued.
    var firstStep: Int { self == .lines ? 1 : 512 }

    /// Finds the longest run of whole records at the front.
    ///
    /// - Parameters:
    ///   - bytes: The input, beginning at the start of a record.
    ///   - progress: Before the call, of the first record; after it, of the record after the run.
    ///   - held: The number of bytes of the first record that are in another buffer; see ``canContinue(after:)``.
    ///   - limit: The maximum number of records; blank bytes before one more record are still included.
    ///   - maximum: The longest record, its end included.
    /// - Returns: The run; it ends before a record that is longer than `maximum`.
    /// - Throws: `recordTooLarge` if that is the first record, complete or not.
    /// - Complexity: O(bytes), with `memchr`: once for a line, twice for a line of an event and a text of a sequence.
    package func run(
        in bytes: UnsafeRawBufferPointer, from progress: inout Progress, held: Int = 0, upTo limit: Int = .max,
        maximum: ByteCount
    ) throws(Failure) -> Run {
        switch self {
        case .lines: return try lines(in: bytes, from: &progress, held: held, upTo: limit, maximum: maximum)
        case .opaque: return Run(records: 0, bytes: bytes.count)
        case .events, .sequence: break
        }
        var run = Run(records: 0, bytes: 0)
        var held = held
        while let next = next(in: bytes.from(run.bytes), from: &progress, held: held) {
            guard held + next.bytes <= maximum.bytes else { return try ended(run, before: maximum) }
            guard next.records == 0 || run.records < limit else {
                progress = Progress()
                return run
            }
            run.records += next.records
            run.bytes += next.bytes
            progress = Progress()
            held = 0
        }
        guard held + bytes.count - run.bytes <= maximum.bytes else { return try ended(run, before: maximum) }
        return run
    }

    /// The same for lines, in a separate function: a third faster than the common one, and most streams are of lines.
    private func lines(
        in bytes: UnsafeRawBufferPointer, from progress: inout Progress, held: Int, upTo limit: Int, maximum: ByteCount
    ) throws(Failure) -> Run {
        var run = Run(records: 0, bytes: 0)
        var (from, held) = (progress.searched, held)
        progress.searched = 0
        while let newline = bytes.offset(of: .lineFeed, in: from..<bytes.count) {
            let length = held + newline + 1 - run.bytes
            guard length <= maximum.bytes else { return try ended(run, before: maximum) }
            let isBlank = length == 1 || (length == 2 && held == 0 && bytes[run.bytes] == .carriageReturn)
            if !isBlank {
                guard run.records < limit else { return run }
                run.records += 1
            }
            run.bytes = newline + 1
            (from, held) = (run.bytes, 0)
        }
        guard held + bytes.count - run.bytes <= maximum.bytes else { return try ended(run, before: maximum) }
        progress.searched = bytes.count - run.bytes
        return run
    }

    /// Finds the longest run of whole records in bytes that were not searched before.
    package func run(
        in bytes: UnsafeRawBufferPointer, held: Int = 0, upTo limit: Int = .max, maximum: ByteCount
    ) throws(Failure) -> Run {
        var progress = Progress()
        return try run(in: bytes, from: &progress, held: held, upTo: limit, maximum: maximum)
    }

    /// Finds the first record, or the blank bytes before it, alone.
    ///
    /// - Parameters:
    ///   - bytes: The input, beginning at the start of a record.
    ///   - progress: Of the first record, before the call; also after it, if the record is not yet whole.
    ///   - maximum: The longest record, its end included.
    /// - Returns: The run, without a record if it is blank; without bytes if the record is not yet whole.
    /// - Throws: `recordTooLarge`, complete or not.
    package func first(
        in bytes: UnsafeRawBufferPointer, from progress: inout Progress, maximum: ByteCount
    ) throws(Failure) -> Run {
        guard self != .opaque else { return Run(records: 0, bytes: bytes.count) }
        let next = next(in: bytes, from: &progress, held: 0)
        guard next?.bytes ?? bytes.count <= maximum.bytes else { throw .recordTooLarge(limit: maximum) }
        guard let next else { return Run(records: 0, bytes: 0) }
        progress = Progress()
        return next
    }

    /// Finds the first record, or the blank bytes before it, in bytes that were not searched before.
    package func first(in bytes: UnsafeRawBufferPointer, maximum: ByteCount) throws(Failure) -> Run {
        var progress = Progress()
        return try first(in: bytes, from: &progress, maximum: maximum)
    }

    /// Classifies the bytes after the last whole record when no more will arrive: all of them are one record, or none.
    ///
    /// A line without its newline is a record, and so is a text without its LF: its reader can see what is missing. A
    /// block without its empty line is none, because no reader of events dispatches it (HTML, section 9.2.6).
    package func last(in bytes: UnsafeRawBufferPointer) -> Run {
        let isRecord =
            switch self {
            case .lines: !bytes.isEmpty
            case .events: EventBlock.isWholeAtEnd(bytes) && EventBlock.isEvent(bytes)
            case .sequence: SequenceText.hasText(bytes)
            case .opaque: false
            }
        return Run(records: isRecord ? 1 : 0, bytes: bytes.count)
    }

    @inline(__always)
    private func next(in bytes: UnsafeRawBufferPointer, from progress: inout Progress, held: Int) -> Run? {
        switch self {
        case .lines:
            guard let newline = bytes.offset(of: .lineFeed, in: progress.searched..<bytes.count) else { break }
            let isBlank = held == 0 && (newline == 0 || newline == 1 && bytes[0] == .carriageReturn)
            return Run(records: isBlank ? 0 : 1, bytes: newline + 1)
        case .events:
            guard let end = EventBlock.end(in: bytes, searched: progress.searched) else { break }
            return Run(records: EventBlock.isEvent(bytes.first(end)) ? 1 : 0, bytes: end)
        case .sequence:
            guard let end = progress.text.end(in: bytes, from: &progress.searched) else { break }
            return Run(records: progress.text.hasBegun ? 1 : 0, bytes: end)
        case .opaque: break
        }
        progress.searched = bytes.count
        return nil
    }

    /// The run before a record that is too long: that record fails only when nothing is before it.
    private func ended(_ run: Run, before maximum: ByteCount) throws(Failure) -> Run {
        guard run.bytes > 0 else { throw .recordTooLarge(limit: maximum) }
        return run
    }
}

extension RecordFormat {
    /// Finds the records of this format.
    package var framer: RecordFramer {
        switch self {
        case .ndjson: .lines
        case .sse: .events
        case .jsonSequence: .sequence
        }
    }
}
