/// Finds whole records in bytes; holds none itself, so any cut of the input gives the same records.
///
/// What is between records, or cannot be one, is *blank*: it is no record, and leaves with the record behind it, or at
/// once where nothing waits.
///
///     lines      a record ends with LF; CR before it belongs to it           blank: an empty line
///     events     a record is a block of lines, and ends with an empty one    blank: a block without `data`, a comment
///                                                                            or `retry` in front of a block
///     sequence   a record begins with RS, and ends with LF or before RS      blank: space in front of RS
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

    package enum Failure: Error, Equatable {
        case recordTooLarge(limit: ByteCount)
    }

    /// How far a record that has not ended has been looked at, so that no byte of it is searched twice.
    package struct Progress: Equatable, Sendable {
        /// Bytes of it that are known not to end it.
        package var searched = 0
        /// What a text of a sequence has open.
        var text = SequenceText()

        package init() {}
    }

    /// Whether ``run(in:from:held:upTo:maximum:)`` can go on in a record of which so many bytes stand elsewhere.
    ///
    /// Of a line it needs to see nothing but whether a single CR stands there; of other records all.
    package func goesOn(behind held: Int) -> Bool { held == 0 || (self == .lines && held != 1) }

    /// How much of an input to add to a record that has been begun elsewhere, before looking whether it can go on.
    var firstStep: Int { self == .lines ? 1 : 512 }

    /// Finds the longest run of whole records at the front.
    ///
    /// - Parameters:
    ///   - bytes: The input, beginning at the start of a record.
    ///   - progress: Of the first record before, and of the one behind the run after.
    ///   - held: How many bytes of the first record stand elsewhere, in front of this input; see ``goesOn(behind:)``.
    ///   - limit: The most records to find; what is blank in front of one more record than that is still taken.
    ///   - maximum: The longest record, its end included.
    /// - Returns: The run; it ends in front of a record that is longer than `maximum`.
    /// - Throws: `recordTooLarge` where that is the first record, finished or not.
    /// - Complexity: O(bytes), by `memchr`: once a line, twice a line of an event and a text of a sequence.
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

    /// The same for lines, by themselves: a third faster than with the others, and most streams are of lines.
    private func lines(
        in bytes: UnsafeRawBufferPointer, from progress: inout Progress, held: Int, upTo limit: Int, maximum: ByteCount
    ) throws(Failure) -> Run {
        var run = Run(records: 0, bytes: 0)
        var (from, held) = (progress.searched, held)
        progress.searched = 0
        while let newline = bytes.place(of: .lineFeed, in: from..<bytes.count) {
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

    /// Finds the longest run of whole records in bytes that are looked at for the first time.
    package func run(
        in bytes: UnsafeRawBufferPointer, held: Int = 0, upTo limit: Int = .max, maximum: ByteCount
    ) throws(Failure) -> Run {
        var progress = Progress()
        return try run(in: bytes, from: &progress, held: held, upTo: limit, maximum: maximum)
    }

    /// Finds the first record, or what is blank in front of it, alone.
    ///
    /// - Parameters:
    ///   - bytes: The input, beginning at the start of a record.
    ///   - progress: Of the first record before; after, too, where it is not yet whole.
    ///   - maximum: The longest record, its end included.
    /// - Returns: It, with no record where it is blank; no bytes where it is not yet whole.
    /// - Throws: `recordTooLarge`, whether it is finished or not.
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

    /// Finds the first record, or what is blank in front of it, in bytes that are looked at for the first time.
    package func first(in bytes: UnsafeRawBufferPointer, maximum: ByteCount) throws(Failure) -> Run {
        var progress = Progress()
        return try first(in: bytes, from: &progress, maximum: maximum)
    }

    /// What the bytes behind the last whole record are, now that no more will come: all of them one record, or none.
    ///
    /// A line without its newline is a record, and so is a text without its LF: whoever reads it can tell what it lacks.
    /// A block without its empty line is none, as no reader of events takes it for one (HTML, section 9.2.6).
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
            guard let newline = bytes.place(of: .lineFeed, in: progress.searched..<bytes.count) else { break }
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

    /// What is found where a record that is too long follows: that record's turn comes when nothing is in front of it.
    private func ended(_ run: Run, before maximum: ByteCount) throws(Failure) -> Run {
        guard run.bytes > 0 else { throw .recordTooLarge(limit: maximum) }
        return run
    }
}

extension RecordFormat {
    /// What finds the records of this format.
    package var framer: RecordFramer {
        switch self {
        case .ndjson: .lines
        case .sse: .events
        case .jsonSequence: .sequence
        }
    }
}
