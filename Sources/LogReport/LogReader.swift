/// Reads one file, plain or gzip by its first two bytes, into lines; chunks may be cut anywhere.
package struct LogReader: ~Copyable {
    package enum Failure: Error, Equatable, Sendable {
        /// The gzip data is damaged; the lines before the damage were passed on.
        case damaged
        /// The gzip data is incomplete.
        case cutShort
        case noMemory
    }

    private enum Form { case unknown, plain, gzip }

    private var form = Form.unknown
    /// The first byte, if it arrived alone.
    private var first: UInt8?
    private var gunzip: Gunzip?
    private var lines = LineSplitter()

    package init() {}

    /// Takes the next bytes of the file and passes on each line that ends in them, without its newline.
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

    /// Passes on the bytes after the last newline.
    ///
    /// - Throws: ``Failure/cutShort`` if gzip data is incomplete; the last line was passed on nevertheless.
    package mutating func finish(line: (UnsafeRawBufferPointer) -> Void) throws(Failure) {
        if form == .unknown, let first { try passAlone(first, line) }
        lines.finish(line: line)
        let isWhole = gunzip?.isBetweenMembers ?? true
        guard isWhole else { throw .cutShort }
    }

    /// Passes on the byte that arrived alone, before the form of the file was known.
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
