import HTTPText

/// Removes the chunked transfer coding from a body (RFC 9112, section 7.1), and accepts nothing else for it.
///
/// libcurl ignores what follows the digits of a chunk's size up to the end of the line (`5zz`, `2 x`), and bytes after the last chunk.
/// A parser after weir that reads such a body differently is how responses are smuggled, so libcurl passes the coding on
/// (CURLOPT_HTTP_TRANSFER_DECODING) and only finds its end. What this accepts is a subset of what libcurl accepts, with
/// the same end.
struct ChunkedDecoder {
    enum Event {
        /// All bytes were used, and more are needed.
        case more
        /// The next bytes of the body.
        case data(UnsafeRawBufferPointer)
        /// A field line of the trailer section, without its end.
        case trailer([UInt8])
        /// The end of the body; what is left of the input does not belong to it.
        case end
    }

    enum Failure: Error, Equatable {
        case malformed(String)
    }

    private enum State {
        /// Nothing of the line before a chunk's data has been taken.
        case headerStart
        case header
        case headerLF
        case data
        case dataCR, dataLF
        case trailerLine, trailerLF
        case ended
    }

    /// The most bytes after a chunk's size: a semicolon, and 4 KiB of extensions; nothing else would bound them.
    static let maximumExtension = 1 + (4 << 10)
    /// The most bytes of one trailer line; libcurl has room for 4095 with its end (`DYN_H1_TRAILER`).
    static let maximumTrailer = (4 << 10) - 16

    private var state = State.headerStart
    /// Of the current chunk.
    private var header = ChunkHeader()
    /// Bytes of the current chunk that have not arrived.
    private var remaining = 0
    private var line: [UInt8] = []

    var hasEnded: Bool { state == .ended }

    /// Takes bytes from the front of the input until something happens.
    mutating func next(_ input: inout UnsafeRawBufferPointer) throws(Failure) -> Event {
        var index = 0
        let end = input.count
        defer { input = UnsafeRawBufferPointer(rebasing: input[index...]) }
        while index < end {
            switch state {
            case .data:
                let piece = UnsafeRawBufferPointer(rebasing: input[index..<index + min(end - index, remaining)])
                index += piece.count
                remaining -= piece.count
                if remaining == 0 { endData(input, &index) }
                return .data(piece)
            case .ended: return .end
            case .trailerLF:
                guard input[index] == .lf else { throw .malformed("a trailer line with a bare CR") }
                index += 1
                guard !line.isEmpty else {
                    state = .ended
                    return .end
                }
                defer { line = [] }
                state = .trailerLine
                return .trailer(line)
            case .headerStart:
                if takeWholeHeader(input, &index) { continue }
                state = .header
            default:
                try take(input[index])
                index += 1
            }
        }
        return .more
    }

    /// All data of a chunk has arrived: takes the line end after it, if that has arrived as a whole.
    @inline(__always)
    private mutating func endData(_ input: UnsafeRawBufferPointer, _ index: inout Int) {
        guard input.holdsLineEnd(at: index) else { return state = .dataCR }
        index += 2
        (state, header) = (.headerStart, ChunkHeader())
    }

    /// Takes the line before a chunk's data, if all of it has arrived and it has no extension, as most have none.
    ///
    /// All others are taken byte by byte.
    @inline(__always)
    private mutating func takeWholeHeader(_ input: UnsafeRawBufferPointer, _ index: inout Int) -> Bool {
        var line = ChunkHeader(), end = index
        while end < input.count, input[end] != .cr, end - index < ChunkHeader.maximumDigits {
            guard (try? line.take(input[end])) != nil else { return false }
            end += 1
        }
        guard line.isComplete, line.extensionBytes == 0, input.holdsLineEnd(at: end) else { return false }
        index = end + 2
        (state, remaining) = (line.size == 0 ? .trailerLine : .data, line.size)
        return true
    }

    /// Takes one byte that is not data.
    private mutating func take(_ byte: UInt8) throws(Failure) {
        switch state {
        case .header: try takeHeader(byte)
        case .headerLF:
            guard byte == .lf else { throw .malformed("a chunk size line with a bare CR") }
            remaining = header.size
            state = remaining == 0 ? .trailerLine : .data
        case .dataCR:
            guard byte == .cr else { throw .malformed("a chunk that is longer than its size") }
            state = .dataLF
        case .dataLF:
            guard byte == .lf else { throw .malformed("a chunk that is longer than its size") }
            (state, header) = (.headerStart, ChunkHeader())
        case .trailerLine:
            guard byte != .cr else { return state = .trailerLF }
            guard line.count < Self.maximumTrailer else { throw .malformed("a trailer line larger than 4 KiB") }
            line.append(byte)
        case .headerStart, .data, .trailerLF, .ended: break
        }
    }

    private mutating func takeHeader(_ byte: UInt8) throws(Failure) {
        if byte == .cr, header.isComplete { return state = .headerLF }
        do throws(ChunkHeader.Fault) {
            try header.take(byte)
        } catch {
            throw Self.failure(error)
        }
        guard header.extensionBytes <= Self.maximumExtension else {
            throw .malformed("chunk extensions larger than 4 KiB")
        }
    }

    private static func failure(_ fault: ChunkHeader.Fault) -> Failure {
        switch fault {
        case .size: .malformed("a chunk size that is not hexadecimal")
        case .tooLarge: .malformed("a chunk size that is too large")
        case .controlCharacter: .malformed("a chunk extension with control characters")
        }
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    fileprivate func holdsLineEnd(at index: Int) -> Bool {
        index + 1 < count && self[index] == .cr && self[index + 1] == .lf
    }
}

extension UInt8 {
    fileprivate static let lf: UInt8 = 0x0A, cr: UInt8 = 0x0D
}
