import CCurl
import Glibc
import NIOHTTP1

// The response, as libcurl's callbacks hand it over.

extension Transfer {
    /// `CURLE_TOO_LARGE`, which the headers name from 8.6 on.
    private static let tooLarge = CURLcode(rawValue: 100)

    /// CURLOPT_WRITEFUNCTION; returns the bytes taken: all, none to pause, or 0 to make libcurl give up.
    ///
    /// The pause is requested by the return value and not by `curl_easy_pause`: after that, libcurl runs the paused transfer's
    /// timer again and again, because only the former reaches its writer (`Curl_xfer_is_blocked` in lib/transfer.c).
    func bytesArrived(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !isCancelled else { return 0 }
        switch response.body {
        case .chunked: return chunksArrived(bytes)
        case .awaited, .complete: return surplusArrived(bytes)
        case .counted, .untilClose: break
        }
        guard !isPauseRequested else { return holds() }
        handOver(bytes)
        if response.body == .untilClose { expectEmptySocket(after: bytes.count) }
        if case .counted(let remaining) = response.body {
            response.body = remaining > bytes.count ? .counted(remaining: remaining - bytes.count) : .complete
            // libcurl reads no further than the body's end, and looks for more only at the socket.
            if response.body == .complete, hasSurplusInTLS { forbidReuse() }
        }
        return isOver ? 0 : bytes.count
    }

    /// The same for a chunked body, whose coding libcurl leaves in place; see ``ChunkedDecoder``.
    ///
    /// libcurl passes the same bytes again after a pause, so those that were taken before it are skipped.
    private func chunksArrived(_ bytes: UnsafeRawBufferPointer) -> Int {
        var rest = UnsafeRawBufferPointer(rebasing: bytes[response.takenBeforePause...])
        while !rest.isEmpty {
            guard !isPauseRequested else {
                response.takenBeforePause = bytes.count - rest.count
                return holds()
            }
            do {
                switch try response.chunks.next(&rest) {
                case .more: break
                case .data(let piece): handOver(piece)
                case .trailer(let line): _ = try line.withUnsafeBytes { try response.parser.line($0) }
                case .end:
                    response.body = .complete
                    if !rest.isEmpty { _ = surplusArrived(rest) }
                    rest = UnsafeRawBufferPointer(start: nil, count: 0)
                }
            } catch {
                response.failure = .malformed(Self.reason(of: error))
                return 0
            }
            if isCancelled { return 0 }
        }
        response.takenBeforePause = 0
        expectEmptySocket(after: bytes.count)
        return isOver ? 0 : bytes.count
    }

    private static func reason(of error: any Error) -> String {
        switch error {
        case ChunkedDecoder.Failure.malformed(let reason), ResponseHeadParser.Failure.malformed(let reason): reason
        default: "the body is malformed"
        }
    }

    /// The most bytes that libcurl passes at once (`CURL_MAX_WRITE_SIZE`).
    private static let largestPiece = 16 << 10

    /// After a read that did not fill the buffer the socket is empty: another read would cost a system call for each record.
    private func expectEmptySocket(after count: Int) {
        if !connection.isShared { readOnce(count < Self.largestPiece) }
    }

    private func handOver(_ bytes: UnsafeRawBufferPointer) {
        delegate?.transferBytes(bytes)
        count(bytes.count)
    }

    /// Bytes that do not belong to the response: they are dropped, with the connection that they arrived on.
    private func surplusArrived(_ bytes: UnsafeRawBufferPointer) -> Int {
        forbidReuse()
        return bytes.count
    }

    private func holds() -> Int {
        response.isHeld = true
        return Self.pauseTransfer
    }

    /// Whether nothing more is wanted of libcurl: the transfer was given up, or the upstream has answered and does not want the body.
    ///
    /// libcurl would wait for its second to ask for the body all the same, and the client does not send it.
    private var isOver: Bool { isCancelled || (response.body == .complete && upload.asksFirst && !upload.hasBegun) }

    /// CURLOPT_HEADERFUNCTION.
    func lineArrived(_ line: UnsafeRawBufferPointer) -> Int {
        guard !isCancelled else { return 0 }
        do throws(ResponseHeadParser.Failure) {
            switch try response.parser.line(line) {
            case .more: break
            case .interim(let head):
                // 100 is for libcurl, which asked for it.
                if head.status != 100 { delegate?.transferInterim(head) }
            case .head(let head): headArrived(head)
            }
        } catch {
            if case .malformed(let reason) = error { response.failure = .malformed(reason) }
            return 0
        }
        return isOver ? 0 : line.count
    }

    private func headArrived(_ head: consuming UpstreamResponseHead) {
        // libcurl drops the body of a 417, and would send the request again without `Expect` (lib/http.c).
        let isRefusal = head.status == 417 && upload.asksFirst
        if isRefusal { head.dropBody() }
        response.body = ResponseBody(after: head, method: method)
        // Such a response may be open for long. libcurl repeats no request whose response has begun.
        switch response.body {
        case .chunked, .untilClose: releaseHeaders()
        case .awaited, .counted, .complete: break
        }
        connection.isShared = head.version == .http2
        upload.forget()
        // Both messages must be complete (RFC 9112, section 9.3), and the upstream may discard what it announced that it
        // does not want (RFC 9110, section 10.1.1). Of HTTP/1.0, section 9.3 says that it need not know how to do it; and on
        // a connection that has spoken it libcurl cannot send a chunked body.
        let endsConnection =
            isRefusal || !upload.isComplete || head.version == .http1_0 || head.mayPrecedeContent(method: method)
        if endsConnection, !connection.isShared { forbidReuse() }
        delegate?.transferHead(head)
        // libcurl may want no more of the body now, and a transfer that is held would not come to its end.
        bodyArrived()
    }

    func end(of result: CURLcode) -> TransferEnd {
        if let failure = response.failure { return .failed(failure) }
        // Where weir ended a transfer that was complete, libcurl reports that it was made to.
        if response.body == .complete { return .complete }
        if upload.wasRefused { return .failed(.closedWhileIdle) }
        let text = libcurlFailure?.text ?? String(cString: curl_easy_strerror(result))
        switch result {
        case CURLE_OK where response.body == .untilClose: return .complete
        case CURLE_OK: return .failed(.truncated("the upstream closed without a complete response"))
        case CURLE_COULDNT_RESOLVE_HOST: return .failed(.unresolved(text))
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER: return .failed(.handshake(text))
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR:
            return .failed(.untrusted(text))
        case CURLE_COULDNT_CONNECT:
            return .failed(libcurlFailure?.systemError == ECONNREFUSED ? .refused(text) : .unreachable(text))
        // The only time limit that libcurl has is that of the connection.
        case CURLE_OPERATION_TIMEDOUT: return .failed(.connectTimeout)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING, Self.tooLarge:
            return .failed(.malformed(text))
        // OpenSSL reports a close without `close_notify` as an error of the connection.
        case CURLE_RECV_ERROR where text.contains("unexpected eof"): return .failed(.truncated(text))
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING: return .failed(.truncated(text))
        default: return .failed(.reset(text))
        }
    }
}
