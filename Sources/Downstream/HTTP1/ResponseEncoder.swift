import HTTPText
import NIOCore
import NIOHTTP1

/// Writes the heads and the trailer sections of responses of HTTP/1.1 as bytes (RFC 9112, sections 4 to 7).
///
/// Names and values were parsed or are weir's own: they have no CR and no LF.
enum ResponseEncoder {
    /// The fields of a head that are of the connection and not of the response.
    struct Framing {
        var isChunked = false
        var connection: StaticString?
    }

    /// Writes a status line, fields, and the empty line after them.
    static func write(
        _ status: HTTPResponseStatus, in version: HTTPVersion, _ headers: HTTPHeaders, framing: Framing = Framing(),
        to buffer: inout ByteBuffer
    ) {
        let reason = status.reasonPhrase
        let connection = framing.connection.map { $0.utf8CodeUnitCount + "connection: \r\n".utf8.count } ?? 0
        // "HTTP/1.1 200 " and two line ends, and the field for chunks.
        let most = 64 + reason.utf8.count + size(of: headers) + connection
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: most) { bytes in
            var writer = Writer(bytes)
            writer.add(version == .http1_0 ? "HTTP/1.0 " : "HTTP/1.1 ")
            writer.add(code: status.code)
            writer.add(reason)
            writer.add("\r\n")
            writer.add(headers)
            if framing.isChunked { writer.add("transfer-encoding: chunked\r\n") }
            if let connection = framing.connection {
                writer.add("connection: ")
                writer.add(connection)
                writer.add("\r\n")
            }
            writer.add("\r\n")
            return writer.count
        }
    }

    /// Writes the last chunk, the trailer section, and the empty line after it.
    static func writeEnd(trailers: HTTPHeaders, to buffer: inout ByteBuffer) {
        guard !trailers.isEmpty else {
            buffer.writeStaticString("0\r\n\r\n")
            return
        }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 5 + size(of: trailers)) { bytes in
            var writer = Writer(bytes)
            writer.add("0\r\n")
            writer.add(trailers)
            writer.add("\r\n")
            return writer.count
        }
    }

    /// The most bytes that the lines of these fields take.
    private static func size(of headers: HTTPHeaders) -> Int {
        var size = 0
        for (name, value) in headers { size += name.utf8.count + value.utf8.count + 4 }
        return size
    }
}

/// Writes into memory that has room for all of it.
private struct Writer {
    private let start: UnsafeMutableRawPointer
    private(set) var count = 0

    /// - Parameter bytes: Not empty.
    init(_ bytes: UnsafeMutableRawBufferPointer) {
        guard let start = bytes.baseAddress else { preconditionFailure("a buffer with capacity has memory") }
        self.start = start
    }

    mutating func add(_ text: StaticString) {
        start.advanced(by: count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    mutating func add(_ text: String) { count += FieldText.copy(text, to: start.advanced(by: count)) }

    /// Three digits and a space.
    mutating func add(code: UInt) {
        for (offset, unit) in [100, 10, 1].enumerated() {
            start.storeBytes(of: 0x30 + UInt8(code / UInt(unit) % 10), toByteOffset: count + offset, as: UInt8.self)
        }
        start.storeBytes(of: UInt8(ascii: " "), toByteOffset: count + 3, as: UInt8.self)
        count += 4
    }

    mutating func add(_ headers: HTTPHeaders) {
        for (name, value) in headers {
            add(name)
            add(": ")
            add(value)
            add("\r\n")
        }
    }
}
