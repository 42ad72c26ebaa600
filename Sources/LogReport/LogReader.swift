/// Reads one file, plain or gzip by its first two bytes, into lines; the chunks may be cut anywhere.
package struct LogReader: ~Copyable {
    package enum Failure: Error, Equatable, Sendable {
        /// The gzip data is broken; the lines in front of the place have been told.
        case damaged
        /// The gzip data ends before its end.
        case cutShort
        case noMemory
    }

    private enum Form { case unknown, plain, gzip }

    private var form = Form.unknown
    /// The first byte, where it came alone.
    private var first: UInt8?
    private var gunzip: Gunzip?
    private var lines = LineSplitter()

    package init() {}

    /// Takes the next bytes of the file and tells each line that they end, without its newline.
    package mutating func push(
        _ chunk: UnsafeRawBufferPointer, line: (UnsafeRawBufferPointer) -> Void
    ) throws(Failure) {
        guard form == .unknown else { return try pass(chunk, line) }
        guard let begin = first ?? chunk.first else { return }
        let second = first == nil ? 1 : 0
        guard chunk.count > second else {
            first = begin
            return
        }
        form = begin == 0x1F && chunk[second] == 0x8B ? .gzip : .plain
        if form == .gzip {
            guard let opened = Gunzip() else { throw .noMemory }
            gunzip = consume opened
        }
        if let first { try passAlone(first, line) }
        try pass(chunk, line)
    }

    /// Tells what stands behind the last newline.
    ///
    /// - Throws: ``Failure/cutShort`` where gzip data has not come to its end; the last line has been told all the same.
    package mutating func finish(line: (UnsafeRawBufferPointer) -> Void) throws(Failure) {
        if form == .unknown, let first { try passAlone(first, line) }
        lines.finish(line: line)
        let isWhole = gunzip?.isBetweenMembers ?? true
        guard isWhole else { throw .cutShort }
    }

    /// The byte that had come alone, before anything could be said of the file.
    private mutating func passAlone(_ byte: UInt8, _ line: (UnsafeRawBufferPointer) -> Void) throws(Failure) {
        first = nil
        var failure: Failure?
        withUnsafeBytes(of: byte) { bytes in
            do throws(Failure) { try pass(bytes, line) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private mutating func pass(
        _ chunk: UnsafeRawBufferPointer, _ line: (UnsafeRawBufferPointer) -> Void
    ) throws(Failure) {
        guard form == .gzip else { return lines.push(chunk, line: line) }
        do throws(Gunzip.Failure) {
            try gunzip?.push(chunk) { lines.push($0, line: line) }
        } catch {
            throw .damaged
        }
    }
}
