import Flow
import HTTPText
package import NIOCore
import NIOHTTP1

/// Reads the requests of a connection of HTTP/1.1 from its bytes, wherever they are cut (RFC 9112).
///
///     head ──no body──▶ complete ──end──▶ head
///       ├──length──▶ body ──────▲
///       └──chunked──▶ chunkSize ⇄ chunk, chunkEnd
///                         └──0──▶ trailers ──end──▶ head
///
/// Strict: what another parser could read differently is a fault. After a fault it reads nothing.
package struct RequestDecoder {
    private enum State {
        /// In the head, or before it.
        case head
        case body(remaining: Int)
        case chunkSize(LineBlock)
        case chunk(remaining: Int)
        /// In the line end after the bytes of a chunk.
        case chunkEnd
        case trailers(LineBlock, HTTPHeaders)
        /// All of the body has been returned, and the end has not.
        case complete
        case failed
    }

    /// The most bytes of the extensions of all chunks of a body together.
    ///
    /// weir ignores them, and they cost what bytes of the body cost; hyper has the same limit.
    package static let mostExtensionBytes = 16 << 10

    private let limit: Int
    private var state = State.head
    private var head: RequestHeadParser
    private var extensionBytes = 0

    /// - Parameter limit: The most bytes of a head, and of a trailer section.
    package init(limit: Int) {
        self.limit = limit
        head = RequestHeadParser(limit: limit)
    }

    /// Whether what follows belongs to the next request: its head has not been returned.
    package var isBetweenRequests: Bool {
        if case .head = state { true } else { false }
    }

    /// Whether lines of the next request's head have been taken.
    var hasBegunHead: Bool { isBetweenRequests && head.hasBegun }

    /// Whether nothing is read any more.
    var hasFailed: Bool {
        if case .failed = state { true } else { false }
    }

    /// Reads no more: what follows is no request.
    mutating func fail() { state = .failed }

    /// Reads the next part.
    ///
    /// - Parameter bytes: What has arrived and has not been read; what is read is taken off it.
    /// - Returns: The part; `nil` if it has not arrived.
    /// - Throws: Why this is no request; after that it returns `nil`.
    package mutating func next(from bytes: inout ByteBuffer) throws(RequestFault) -> RequestPart? {
        do throws(RequestFault) {
            while true {
                switch state {
                case .head: return try readHead(from: &bytes)
                case .body(let remaining): return readBody(remaining, from: &bytes)
                case .chunkSize(var line): guard try readChunkSize(&line, from: &bytes) else { return nil }
                case .chunk(let remaining): return readChunk(remaining, from: &bytes)
                case .chunkEnd: guard try readChunkEnd(from: &bytes) else { return nil }
                case .trailers(var lines, var fields): return try readTrailers(&lines, &fields, from: &bytes)
                case .complete: return end()
                case .failed: return nil
                }
            }
        } catch {
            state = .failed
            throw error
        }
    }

    private mutating func end(trailers: HTTPHeaders = HTTPHeaders()) -> RequestPart {
        state = .head
        return .end(trailers)
    }

    private mutating func readHead(from bytes: inout ByteBuffer) throws(RequestFault) -> RequestPart? {
        var count = 0
        let result = bytes.withUnsafeReadableBytes { bytes in
            Result { () throws(RequestFault) in try head.read(bytes, count: &count) }
        }
        bytes.moveReaderIndex(forwardBy: count)
        guard let decoded = try result.get() else { return nil }
        head = RequestHeadParser(limit: limit)
        switch decoded.bodyLength {
        case .none, .length(0): state = .complete
        case .length(let length): state = .body(remaining: length)
        case .chunked:
            extensionBytes = 0
            state = .chunkSize(chunkLine)
        }
        return .head(decoded)
    }

    private mutating func readBody(_ remaining: Int, from bytes: inout ByteBuffer) -> RequestPart? {
        guard let part = bytes.readUpTo(remaining) else { return nil }
        let remaining = remaining - part.readableBytes
        state = remaining == 0 ? .complete : .body(remaining: remaining)
        return .body(part)
    }

    // MARK: Chunks

    private var chunkLine: LineBlock {
        LineBlock(limit: ChunkHeader.maximumDigits + Self.mostExtensionBytes - extensionBytes + 2, excess: .malformed)
    }

    private mutating func readChunkSize(
        _ line: inout LineBlock, from bytes: inout ByteBuffer
    ) throws(RequestFault) -> Bool {
        let result = bytes.withUnsafeReadableBytes { bytes in
            Result { () throws(RequestFault) in
                guard let text = try line.next(in: bytes) else { return nil as (header: ChunkHeader, count: Int)? }
                guard let header = ChunkHeader(line: text) else { throw .malformed }
                return (header, text.count + 2)
            }
        }
        guard let (header, count) = try result.get() else {
            state = .chunkSize(line)
            return false
        }
        bytes.moveReaderIndex(forwardBy: count)
        extensionBytes += header.extensionBytes
        guard extensionBytes <= Self.mostExtensionBytes else { throw .malformed }
        state =
            header.size > 0 ? .chunk(remaining: header.size) : .trailers(LineBlock(limit: limit), HTTPHeaders())
        return true
    }

    private mutating func readChunk(_ remaining: Int, from bytes: inout ByteBuffer) -> RequestPart? {
        guard let part = bytes.readUpTo(remaining) else { return nil }
        let remaining = remaining - part.readableBytes
        state = remaining == 0 ? .chunkEnd : .chunk(remaining: remaining)
        return .body(part)
    }

    private mutating func readChunkEnd(from bytes: inout ByteBuffer) throws(RequestFault) -> Bool {
        let view = bytes.readableBytesView
        guard view.prefix(2).elementsEqual([.carriageReturn, .lineFeed].prefix(view.count)) else { throw .malformed }
        guard view.count >= 2 else { return false }
        bytes.moveReaderIndex(forwardBy: 2)
        state = .chunkSize(chunkLine)
        return true
    }

    private mutating func readTrailers(
        _ lines: inout LineBlock, _ fields: inout HTTPHeaders, from bytes: inout ByteBuffer
    ) throws(RequestFault) -> RequestPart? {
        var count = 0
        let result = bytes.withUnsafeReadableBytes { bytes in
            Result { () throws(RequestFault) in
                while let text = try lines.next(in: bytes.from(count)) {
                    count += text.count + 2
                    if text.isEmpty { return true }
                    guard fields.count < Request.mostFields else { throw .tooManyFields }
                    guard let field = try? FieldLine(text) else { throw .malformed }
                    fields.add(name: field.name, value: field.value)
                }
                return false
            }
        }
        bytes.moveReaderIndex(forwardBy: count)
        if try result.get() { return end(trailers: fields) }
        state = .trailers(lines, fields)
        return nil
    }
}

extension ByteBuffer {
    /// Takes at most `count` bytes off it, without a copy; `nil` if it is empty.
    fileprivate mutating func readUpTo(_ count: Int) -> ByteBuffer? {
        readableBytes == 0 ? nil : readSlice(length: min(count, readableBytes))
    }
}
