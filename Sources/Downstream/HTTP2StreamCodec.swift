import HTTPText
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
            guard block.headers.allSatisfy({ $0.value.isFieldValue }) else {
                isMalformed = true
                return context.fireErrorCaught(HTTPParserError.unknown)
            }
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
        var promise = promise
        switch unwrapOutboundIn(data) {
        case .head(let head):
            var block = Self.block(of: head.headers, beside: 1)
            block.add(name: ":status", value: String(head.status.code))
            Self.append(head.headers, to: &block)
            payload = .headers(.init(headers: block))
            promise = watched(promise, context)
        case .body(let body): payload = .data(.init(data: body))
        case .end(let trailers?):
            var block = Self.block(of: trailers, beside: 0)
            Self.append(trailers, to: &block)
            payload = .headers(.init(headers: block, endStream: true))
            promise = watched(promise, context)
        case .end(nil): payload = .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
        }
        context.write(wrapOutboundOut(payload), promise: promise)
    }

    /// Reports the failure of a write as an error, unless it is the end of the channel.
    ///
    /// NIO refuses blocks of fields that do not fit into one frame. The write of a body fails only with its channel.
    private func watched(_ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) -> EventLoopPromise<Void>
    {
        let promise = promise ?? context.eventLoop.makePromise()
        promise.futureResult.assumeIsolated().whenFailure { _ in
            guard context.channel.isActive, context.channel.parent?.isActive ?? false else { return }
            context.fireErrorCaught(UnsentFields())
        }
        return promise
    }

    // MARK: Requests

    /// The head as HTTP/1.1 would have it, so that nothing behind this needs to know; `nil` where it is malformed.
    private static func requestHead(_ block: HPACKHeaders, hasBody: Bool) -> HTTPRequestHead? {
        var method: String?, path: String?, authority: String?
        var hosts: [String] = [], lengths: [String] = [], cookies: [String] = []
        var fields: [(String, String)] = []
        fields.reserveCapacity(block.count + 1)
        for (name, value, _) in block {
            switch name {
            case ":method": method = value
            case ":path": path = value
            case ":authority": authority = value
            case "host": hosts.append(value)
            case "content-length": lengths.append(value)
            case "cookie": cookies.append(value)
            // Section 8.2.1 is stricter than HPACK's decoder, which refuses CR, LF and NUL alone.
            case _ where !value.isFieldValue: return nil
            default: if name.utf8.first != UInt8(ascii: ":") { fields.append((name, value)) }
            }
        }
        // RFC 9113, section 8.3.1: they must not contradict each other.
        guard hosts.count <= 1, authority == nil || hosts.allSatisfy({ $0 == authority }) else { return nil }
        guard let method, !method.isEmpty, method.utf8.allSatisfy(\.isTokenByte) else { return nil }
        // CONNECT has no path (section 8.5).
        guard let target = path ?? authority, target.utf8.allSatisfy(\.isTargetByte) else { return nil }
        guard cookies.allSatisfy(\.isFieldValue) else { return nil }
        // RFC 9113, section 8.2.3: an HTTP/1.1 server would take two fields for two.
        if !cookies.isEmpty { fields.append(("cookie", cookies.joined(separator: "; "))) }
        if let length = lengths.first {
            guard Int(digits: length.utf8) != nil, lengths.allSatisfy({ $0 == length }) else { return nil }
            fields.append(("content-length", length))
        } else if hasBody {
            fields.append(("transfer-encoding", "chunked"))
        }
        if let host = authority ?? hosts.first { fields.insert(("host", host), at: 0) }
        return HTTPRequestHead(
            version: .http2, method: HTTPMethod(rawValue: method), uri: target, headers: HTTPHeaders(fields))
    }

    /// The fields that are no pseudo-fields.
    private static func fields(of block: HPACKHeaders) -> [(String, String)] {
        block.compactMap { name, value, _ in name.utf8.first == UInt8(ascii: ":") ? nil : (name, value) }
    }

    // MARK: Responses

    /// Whether HTTP/2 does not have this field (RFC 9113, section 8.2.2).
    private static func isConnectionSpecific(_ name: String) -> Bool {
        switch name {
        case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade": true
        default: false
        }
    }

    private static func block(of headers: HTTPHeaders, beside count: Int) -> HPACKHeaders {
        var block = HPACKHeaders()
        block.reserveCapacity(headers.count + count)
        return block
    }

    private static func append(_ headers: HTTPHeaders, to block: inout HPACKHeaders) {
        for (name, value) in headers {
            let name = name.lowercased()
            if !isConnectionSpecific(name) { block.add(name: name, value: value) }
        }
    }
}

/// A response's head or trailers could not be written: the client does not get the response.
struct UnsentFields: Error {}
