import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// Turns the frames of one stream into the parts of a request, and the parts of a response into frames.
///
/// What RFC 9113, section 8, calls malformed in a block of fields NIO has refused by now, as an error of the stream; what
/// that leaves is refused here, and answered as a malformed request of HTTP/1.1 is.
final class HTTP2StreamCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var hasHead = false
    private var isMalformed = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isMalformed else { return }
        switch unwrapInboundIn(data) {
        case .headers(let block) where hasHead:
            context.fireChannelRead(wrapInboundOut(.end(HTTPHeaders(Self.fields(of: block.headers)))))
        case .headers(let block):
            hasHead = true
            guard let head = Self.requestHead(block.headers, hasBody: !block.endStream) else {
                isMalformed = true
                return context.fireErrorCaught(HTTPParserError.unknown)
            }
            context.fireChannelRead(wrapInboundOut(.head(head)))
            if block.endStream { context.fireChannelRead(wrapInboundOut(.end(nil))) }
        case .data(let data):
            if case .byteBuffer(let bytes) = data.data, bytes.readableBytes > 0 {
                context.fireChannelRead(wrapInboundOut(.body(bytes)))
            }
            if data.endStream { context.fireChannelRead(wrapInboundOut(.end(nil))) }
        default: break
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let payload: OutboundOut
        switch unwrapOutboundIn(data) {
        case .head(let head):
            var block = Self.block(of: head.headers, beside: 1)
            block.add(name: ":status", value: String(head.status.code))
            Self.append(head.headers, to: &block)
            payload = .headers(.init(headers: block))
        case .body(let body): payload = .data(.init(data: body))
        case .end(let trailers?):
            var block = Self.block(of: trailers, beside: 0)
            Self.append(trailers, to: &block)
            payload = .headers(.init(headers: block, endStream: true))
        case .end(nil): payload = .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
        }
        context.write(wrapOutboundOut(payload), promise: promise)
    }

    // MARK: Requests

    /// The head as HTTP/1.1 would have it, so that nothing behind this needs to know; `nil` where it is malformed.
    private static func requestHead(_ block: HPACKHeaders, hasBody: Bool) -> HTTPRequestHead? {
        let authority = block.first(name: ":authority")
        // RFC 9113, section 8.3.1: they must not contradict each other.
        let hosts = block["host"]
        guard hosts.count <= 1, authority == nil || hosts.allSatisfy({ $0 == authority }) else { return nil }
        guard let method = block.first(name: ":method"), method.utf8.allSatisfy(\.isTokenByte), !method.isEmpty else {
            return nil
        }
        // CONNECT has no path (section 8.5).
        guard let target = block.first(name: ":path") ?? authority, target.utf8.allSatisfy(\.isTargetByte) else {
            return nil
        }
        guard let length = declaredLength(in: block) else { return nil }
        var headers = HTTPHeaders()
        headers.reserveCapacity(block.count + 2)
        if let host = authority ?? hosts.first { headers.add(name: "host", value: host) }
        headers.add(contentsOf: fields(of: block).filter { !["host", "cookie", "content-length"].contains($0.0) })
        // RFC 9113, section 8.2.3: an HTTP/1.1 server would take two fields for two.
        let cookies = block["cookie"]
        if !cookies.isEmpty { headers.add(name: "cookie", value: cookies.joined(separator: "; ")) }
        if let length = length.value {
            headers.add(name: "content-length", value: length)
        } else if hasBody {
            headers.add(name: "transfer-encoding", value: "chunked")
        }
        return HTTPRequestHead(version: .http2, method: HTTPMethod(rawValue: method), uri: target, headers: headers)
    }

    private struct Length { let value: String? }

    /// `nil` where it is no number; several that agree are one.
    private static func declaredLength(in block: HPACKHeaders) -> Length? {
        let values = block["content-length"]
        guard let first = values.first else { return Length(value: nil) }
        let isNumber = (1...18).contains(first.utf8.count) && first.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return isNumber && values.allSatisfy { $0 == first } ? Length(value: first) : nil
    }

    /// The fields that are no pseudo-fields.
    private static func fields(of block: HPACKHeaders) -> [(String, String)] {
        block.compactMap { name, value, _ in name.utf8.first == UInt8(ascii: ":") ? nil : (name, value) }
    }

    // MARK: Responses

    /// Fields that HTTP/2 does not have (RFC 9113, section 8.2.2).
    private static let connectionSpecific: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
    ]

    private static func block(of headers: HTTPHeaders, beside count: Int) -> HPACKHeaders {
        var block = HPACKHeaders()
        block.reserveCapacity(headers.count + count)
        return block
    }

    private static func append(_ headers: HTTPHeaders, to block: inout HPACKHeaders) {
        for (name, value) in headers {
            let name = name.lowercased()
            if !connectionSpecific.contains(name) { block.add(name: name, value: value) }
        }
    }
}

extension UInt8 {
    /// RFC 9110, section 5.6.2.
    fileprivate var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }

    /// What may stand in a request line: anything else would end the target, or the line, on the way to the upstream.
    fileprivate var isTargetByte: Bool { self > 0x20 && self != 0x7F }
}
