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
        case size(digits: Int)
        /// After white space that follows the size, which only an extension may follow.
        case beforeExtension(bytes: Int)
        case chunkExtension(bytes: Int)
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

    private var state = State.size(digits: 0)
    /// Of the current chunk; while the size is read, its value so far.
    private var remaining = 0
    private var line: [UInt8] = []

    var hasEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// Takes bytes from the front of the input until something happens.
    mutating func next(_ input: inout UnsafeRawBufferPointer) throws(Failure) -> Event {
        var index = 0
        defer { input = UnsafeRawBufferPointer(rebasing: input[index...]) }
        while index < input.count {
            if case .data = state {
                let piece = UnsafeRawBufferPointer(rebasing: input[index...].prefix(remaining))
                index += piece.count
                remaining -= piece.count
                if remaining == 0 { state = .dataCR }
                return .data(piece)
            }
            if case .ended = state { return .end }
            let byte = input[index]
            index += 1
            if case .trailerLF = state {
                guard byte == .lf else { throw .malformed("a trailer line with a bare CR") }
                guard !line.isEmpty else {
                    state = .ended
                    return .end
                }
                defer { line = [] }
                state = .trailerLine
                return .trailer(line)
            }
            state = try state(after: byte)
        }
        return .more
    }

    private mutating func state(after byte: UInt8) throws(Failure) -> State {
        switch state {
        case .size(let digits): return try sizeState(after: byte, digits: digits)
        case .beforeExtension(let bytes):
            guard byte != .semicolon else { return try extended(bytes) }
            guard byte.isOptionalWhitespace else { throw .malformed("a chunk size that is not hexadecimal") }
            return .beforeExtension(bytes: try counted(bytes))
        case .chunkExtension(let bytes):
            if byte == .cr { return .sizeLF }
            guard byte.isFieldValueByte else { throw .malformed("a chunk extension with control characters") }
            return try extended(bytes)
        case .sizeLF:
            guard byte == .lf else { throw .malformed("a chunk size line with a bare CR") }
            return remaining == 0 ? .trailerLine : .data
        case .dataCR:
            guard byte == .cr else { throw .malformed("a chunk that is longer than its size") }
            return .dataLF
        case .dataLF:
            guard byte == .lf else { throw .malformed("a chunk that is longer than its size") }
            return .size(digits: 0)
        case .trailerLine:
            if byte == .cr { return .trailerLF }
            guard line.count < Self.maximumTrailer else { throw .malformed("a trailer line larger than 4 KiB") }
            line.append(byte)
            return .trailerLine
        case .data, .trailerLF, .ended: return state
        }
    }

    private mutating func sizeState(after byte: UInt8, digits: Int) throws(Failure) -> State {
        if let digit = byte.hexDigitValue {
            // Sixteen digits are the most that libcurl reads.
            guard digits < 16, remaining <= Int.max >> 4 else { throw .malformed("a chunk size that is too large") }
            remaining = remaining << 4 | digit
            return .size(digits: digits + 1)
        }
        guard digits > 0 else { throw .malformed("a chunk size that is not hexadecimal") }
        switch byte {
        case .cr: return .sizeLF
        case .semicolon: return .chunkExtension(bytes: 0)
        case _ where byte.isOptionalWhitespace: return .beforeExtension(bytes: 0)
        default: throw .malformed("a chunk size that is not hexadecimal")
        }
    }

    private func extended(_ bytes: Int) throws(Failure) -> State { .chunkExtension(bytes: try counted(bytes)) }

    private func counted(_ bytes: Int) throws(Failure) -> Int {
        guard bytes < Self.maximumExtension else { throw .malformed("chunk extensions larger than 4 KiB") }
        return bytes + 1
    }
}

extension UInt8 {
    fileprivate static let lf: UInt8 = 0x0A, cr: UInt8 = 0x0D, semicolon: UInt8 = 0x3B

    fileprivate var hexDigitValue: Int? {
        switch self {
        case 0x30...0x39: Int(self - 0x30)
        case 0x41...0x46: Int(self - 0x41 + 10)
        case 0x61...0x66: Int(self - 0x61 + 10)
        default: nil
        }
    }
}
