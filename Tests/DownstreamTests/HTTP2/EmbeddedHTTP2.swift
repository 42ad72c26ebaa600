import CNghttp2
import Flow
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Downstream

/// A frame of HTTP/2, as it was sent.
struct TestFrame: Equatable {
    enum Kind: UInt8 {
        case data = 0
        case headers, priority, reset, settings, push, ping, goAway, windowUpdate, continuation
    }

    var kind: Kind
    var flags: UInt8 = 0
    var stream: Int32 = 0
    var payload: [UInt8] = []

    static let endStream: UInt8 = 1, acknowledged: UInt8 = 1, endHeaders: UInt8 = 4

    var endsStream: Bool { flags & Self.endStream != 0 }
    var text: String { String(decoding: payload, as: UTF8.self) }
    /// The number that a frame ends with, or is: an error code, an increment.
    var number: UInt32 { payload.suffix(4).reduce(0) { $0 << 8 | UInt32($1) } }

    var bytes: [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), kind.rawValue, flags]
            + Self.bytes(of: UInt32(stream)) + payload
    }

    static func bytes(of number: UInt32) -> [UInt8] { (0..<4).map { UInt8(number >> (24 - 8 * $0) & 0xFF) } }

    /// A block of fields, each as a literal that no table keeps (RFC 7541, section 6.2.2); lengths below 16 KiB.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0] + string($0) + string($1) }
    }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        let rest = bytes.count - 127
        return (rest < 128 ? [127, UInt8(rest)] : [127, UInt8(rest & 0x7F | 0x80), UInt8(rest >> 7)]) + bytes
    }
}

/// A client of HTTP/2 without a socket: the test is the client, the clock and the kernel.
final class EmbeddedHTTP2 {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    let connection: EmbeddedConnection
    private var received: [UInt8] = []
    private var inflater: OpaquePointer?

    /// A connection that has exchanged settings.
    init(maximumStreams: Int = 100, limits: ConnectionLimits = .init()) throws {
        var limits = limits
        limits.maximumStreams = maximumStreams
        connection = try EmbeddedConnection(limits: limits)
        #expect(nghttp2_hd_inflate_new(&inflater) == 0)
    }

    deinit { nghttp2_hd_inflate_del(inflater) }

    var handler: ScriptedHandler { connection.handler }

    /// Sends the preface and empty settings, and reads the server's.
    @discardableResult func begin() throws -> [TestFrame] {
        try send(bytes: Self.preface + TestFrame(kind: .settings).bytes)
        return try frames()
    }

    func send(bytes: [UInt8]) throws {
        try connection.channel.writeInbound(ByteBuffer(bytes: bytes))
        connection.loop.run()
    }

    func send(_ frames: TestFrame...) throws { try send(bytes: frames.flatMap(\.bytes)) }

    static func request(
        _ stream: Int32 = 1, _ fields: [(String, String)] = [], method: String = "GET", path: String = "/",
        ends: Bool = true
    ) -> TestFrame {
        let head = [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", path)] + fields
        return TestFrame(
            kind: .headers, flags: TestFrame.endHeaders | (ends ? TestFrame.endStream : 0), stream: stream,
            payload: TestFrame.block(head))
    }

    static func data(_ text: String, _ stream: Int32 = 1, ends: Bool = false) -> TestFrame {
        TestFrame(
            kind: .data, flags: ends ? TestFrame.endStream : 0, stream: stream, payload: Array(text.utf8))
    }

    static func credit(_ bytes: UInt32, _ stream: Int32) -> TestFrame {
        TestFrame(kind: .windowUpdate, stream: stream, payload: TestFrame.bytes(of: bytes))
    }

    static func reset(_ stream: Int32, _ code: UInt32 = 8) -> TestFrame {
        TestFrame(kind: .reset, stream: stream, payload: TestFrame.bytes(of: code))
    }

    /// The frames that were sent since the last call.
    func frames() throws -> [TestFrame] {
        while let piece = try connection.channel.readOutbound(as: ByteBuffer.self) {
            received += piece.readableBytesView
        }
        var frames: [TestFrame] = []
        while received.count >= 9 {
            let length = received[..<3].reduce(0) { $0 << 8 | Int($1) }
            guard received.count >= 9 + length else { break }
            let kind = try #require(TestFrame.Kind(rawValue: received[3]))
            let stream = received[5..<9].reduce(0) { $0 << 8 | Int32($1) }
            frames.append(
                TestFrame(kind: kind, flags: received[4], stream: stream, payload: Array(received[9..<(9 + length)])))
            received.removeFirst(9 + length)
        }
        return frames
    }

    /// The frames that were sent since the last call, of one stream.
    func frames(of stream: Int32) throws -> [TestFrame] { try frames().filter { $0.stream == stream } }

    /// The fields of a head; each must be decoded, in order.
    func fields(_ block: [UInt8]) -> [String: String] {
        var fields: [String: String] = [:], block = block[...], flags: CInt = 0
        repeat {
            var field = nghttp2_nv()
            let count = block.withContiguousStorageIfAvailable {
                nghttp2_hd_inflate_hd2(inflater, &field, &flags, $0.baseAddress, $0.count, 1)
            }
            guard let count, count >= 0 else { return fields }
            block.removeFirst(count)
            guard flags & CInt(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 else { continue }
            let name = String(decoding: UnsafeBufferPointer(start: field.name, count: field.namelen), as: UTF8.self)
            fields[name] = String(
                decoding: UnsafeBufferPointer(start: field.value, count: field.valuelen), as: UTF8.self)
        } while flags & CInt(NGHTTP2_HD_INFLATE_FINAL.rawValue) == 0
        nghttp2_hd_inflate_end_headers(inflater)
        return fields
    }
}
