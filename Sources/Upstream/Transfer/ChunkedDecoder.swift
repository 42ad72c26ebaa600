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
        case size
        /// After white space that follows the size, which only an extension may follow.
        case beforeExtension
        case chunkExtension
        case sizeLF
        case data
        case dataCR, dataLF
        case trailerLine, trailerLF
        case ended
    }

    /// The most bytes of a chunk's extensions; weir ignores them, and nothing else would bound them.
    static let maximumExtension = 4 << 10
    /// The most bytes of one trailer line; libcurl has room for 4095 with its end (`DYN_H1_TRAILER`).
    static let maximumTrailer = (4 << 10) - 16

    private var state = State.size
    /// Of the current chunk; while the size is read, its value so far.
    private var remaining = 0
    /// Bytes so far of the size's digits, or of what follows them.
    private var count = 0
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
                let piece = UnsafeRawBufferPointer(rebasing: input[index..<min(end, index + remaining)])
                index += piece.count
                remaining -= piece.count
                if remaining == 0 { state = .dataCR }
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
            default:
                try take(input[index])
                index += 1
            }
        }
        return .more
    }

    /// Takes one byte that is not data; inlined, for there are six of them for each chunk.
    @inline(__always)
    private mutating func take(_ byte: UInt8) throws(Failure) {
        switch state {
        case .size: try takeSize(byte)
        case .sizeLF:
            guard byte == .lf else { throw .malformed("a chunk size line with a bare CR") }
            state = remaining == 0 ? .trailerLine : .data
        case .dataCR:
            guard byte == .cr else { throw .malformed("a chunk that is longer than its size") }
            state = .dataLF
        case .dataLF:
            guard byte == .lf else { throw .malformed("a chunk that is longer than its size") }
            (state, count) = (.size, 0)
        case .beforeExtension, .chunkExtension: try takeExtension(byte)
        case .trailerLine:
            guard byte != .cr else { return state = .trailerLF }
            guard line.count < Self.maximumTrailer else { throw .malformed("a trailer line larger than 4 KiB") }
            line.append(byte)
        case .data, .trailerLF, .ended: break
        }
    }

    @inline(__always)
    private mutating func takeSize(_ byte: UInt8) throws(Failure) {
        if let digit = byte.hexadecimalDigit {
            // Sixteen digits are the most that libcurl reads.
            guard count < 16, remaining <= Int.max >> 4 else { throw .malformed("a chunk size that is too large") }
            remaining = remaining << 4 | digit
            count += 1
        } else if byte == .cr, count > 0 {
            state = .sizeLF
        } else if count > 0, byte == .semicolon || byte.isOptionalWhitespace {
            (state, count) = (byte == .semicolon ? .chunkExtension : .beforeExtension, 0)
        } else {
            throw .malformed("a chunk size that is not hexadecimal")
        }
    }

    private mutating func takeExtension(_ byte: UInt8) throws(Failure) {
        if state == .chunkExtension, byte == .cr { return state = .sizeLF }
        if state == .beforeExtension, byte != .semicolon, !byte.isOptionalWhitespace {
            throw .malformed("a chunk size that is not hexadecimal")
        }
        guard byte.isFieldValueByte else { throw .malformed("a chunk extension with control characters") }
        guard count < Self.maximumExtension else { throw .malformed("chunk extensions larger than 4 KiB") }
        count += 1
        if byte == .semicolon { state = .chunkExtension }
    }
}

extension UInt8 {
    fileprivate static let lf: UInt8 = 0x0A, cr: UInt8 = 0x0D, semicolon: UInt8 = 0x3B
}
