/// What surrounds the bytes of a chunk: its size and CRLF before them, CRLF after them (RFC 9112, section 7.1).
package enum ChunkFraming {
    /// Room before the bytes: eight hexadecimal digits and CRLF.
    @inlinable package static var prefix: Int { 10 }
    /// Room after them.
    @inlinable package static var suffix: Int { 2 }

    /// CRLF.
    @usableFromInline static let lineEnd = UInt16(0x0D0A).bigEndian

    /// Writes the size right before a chunk's bytes, and CRLF after them.
    ///
    /// - Parameters:
    ///   - bytes: The chunk's bytes, with ``prefix`` bytes of memory before them and ``suffix`` after them.
    ///   - count: Their number, at least 1 and less than 2^32.
    /// - Returns: The number of bytes before them that were written.
    @inlinable package static func write(around bytes: UnsafeMutableRawPointer, count: Int) -> Int {
        bytes.storeBytes(of: lineEnd, toByteOffset: count, as: UInt16.self)
        bytes.storeBytes(of: lineEnd, toByteOffset: -2, as: UInt16.self)
        var (written, rest) = (2, count)
        repeat {
            written += 1
            let digit = UInt8(truncatingIfNeeded: rest & 0xF)
            bytes.storeBytes(of: digit < 10 ? 0x30 + digit : 0x57 + digit, toByteOffset: -written, as: UInt8.self)
            rest >>= 4
        } while rest > 0
        return written
    }
}

/// Bytes of a body as one whole chunk, framed once for all connections that send it.
///
/// Immutable, so that all of them send the same memory.
package struct WholeChunk: Sendable {
    private let framed: [UInt8]
    private let start: Int
    /// The number of bytes, without the framing.
    package let count: Int

    /// - Parameter bytes: At least one.
    package init(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        framed = [UInt8](
            unsafeUninitializedCapacity: ChunkFraming.prefix + bytes.count + ChunkFraming.suffix
        ) { target, used in
            guard let memory = UnsafeMutableRawPointer(target.baseAddress), let source = bytes.baseAddress else {
                preconditionFailure("a chunk of a body is not empty")
            }
            let body = memory + ChunkFraming.prefix
            body.copyMemory(from: source, byteCount: bytes.count)
            let written = ChunkFraming.write(around: body, count: bytes.count)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: ChunkFraming.prefix - written)
            start = ChunkFraming.prefix - written
            used = target.count
        }
        (self.start, count) = (start, bytes.count)
    }

    /// Calls a function with the chunk as it is sent.
    @inline(__always)
    package func withFramedBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        framed.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    /// Calls a function with the bytes without the framing.
    @inline(__always)
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        framed.withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[ChunkFraming.prefix..<ChunkFraming.prefix + count]))
        }
    }
}
