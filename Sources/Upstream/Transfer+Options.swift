import CCurl
import Glibc
import NIOHTTP1

// What libcurl is told once for each easy handle, and the functions of C that it calls.

extension Transfer {
    /// What holds for every request; the reasons are libcurl's own pages on each option.
    func setFixedOptions() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        weir_easy_set_pointer(easy, CURLOPT_PRIVATE, context)
        weir_easy_set_write(easy, onBytes, context)
        weir_easy_set_header(easy, onLine, context)
        weir_easy_set_read(easy, onBodyWanted, context)
        weir_easy_set_seek(easy, onRewind, context)
        weir_easy_set_prereq(easy, onRequest, context)
        weir_easy_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, Upload.bufferSize)
        weir_easy_set_sockopt(easy, onSocketMade, context)
        weir_easy_set_closesocket(easy, onSocketClosing, Unmanaged.passUnretained(loop.sockets).toOpaque())
        loop.shareNames(with: easy)
        weir_easy_set_long(easy, CURLOPT_NOSIGNAL, 1)
        // Removing a transfer must not wait for its name to be resolved (7.87).
        weir_easy_set_long(easy, CURLOPT_QUICK_EXIT, 1)
        // Not the environment's, which libcurl would look into for each request.
        weir_easy_set_string(easy, CURLOPT_PROXY, "")
        weir_easy_set_string(easy, CURLOPT_NOPROXY, "")
        weir_easy_set_long(easy, CURLOPT_PATH_AS_IS, 1)
        weir_easy_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        weir_easy_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        weir_easy_set_long(easy, CURLOPT_HTTP09_ALLOWED, 0)
        weir_easy_set_long(easy, CURLOPT_HTTP_CONTENT_DECODING, 0)
        weir_easy_set_long(easy, CURLOPT_TCP_NODELAY, 1)
        weir_easy_set_long(easy, CURLOPT_NOPROGRESS, 1)
        // Below the 5 s after which uvicorn and Node close idle connections; libcurl retries the race by itself.
        weir_easy_set_long(easy, CURLOPT_MAXAGE_CONN, 4)
    }

    /// What of a request libcurl asks for by options of its own.
    func setMethod(of request: UpstreamRequest) {
        // First of all, because it takes back what the others set for the request before.
        weir_easy_set_long(easy, CURLOPT_HTTPGET, 1)
        upload = Upload(mayRepeat: request.method.isIdempotent)
        if let body = request.body {
            weir_easy_set_long(easy, CURLOPT_UPLOAD, 1)
            weir_easy_set_offset(easy, CURLOPT_INFILESIZE_LARGE, Int64(body.length ?? -1))
            // Behind a chunked body alone (RFC 9112, section 7.1.2).
            weir_easy_set_trailer(
                easy, body.length == nil ? onTrailersWanted : nil, Unmanaged.passUnretained(self).toOpaque())
        } else if request.method == .HEAD {
            weir_easy_set_long(easy, CURLOPT_NOBODY, 1)
        }
        let isUsual = request.body == nil && (request.method == .GET || request.method == .HEAD)
        weir_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, isUsual ? nil : request.method.rawValue)
    }
}

private func onBytes(
    bytes: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.bytesArrived(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
}

private func onLine(
    bytes: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.lineArrived(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
}

private func onBodyWanted(
    target: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.bodyWanted(UnsafeMutableRawBufferPointer(start: target, count: size * count))
    }
}

private func onTrailersWanted(
    list: UnsafeMutablePointer<UnsafeMutablePointer<curl_slist>?>?, context: UnsafeMutableRawPointer?
) -> CInt {
    guard let context, let list else { return CInt(CURL_TRAILERFUNC_ABORT) }
    list.pointee = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().trailersWanted()
    return CInt(CURL_TRAILERFUNC_OK)
}

private func onRewind(context: UnsafeMutableRawPointer?, offset: curl_off_t, origin: CInt) -> CInt {
    guard let context, offset == 0, origin == SEEK_SET else { return CURL_SEEKFUNC_FAIL }
    return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().canRewindBody
        ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}

private func onRequest(
    context: UnsafeMutableRawPointer?, primary: UnsafeMutablePointer<CChar>?, local: UnsafeMutablePointer<CChar>?,
    primaryPort: CInt, localPort: CInt
) -> CInt {
    guard let context else { return CURL_PREREQFUNC_ABORT }
    return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().requestBegins()
        ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private func onSocketMade(context: UnsafeMutableRawPointer?, socket: curl_socket_t, purpose: curlsocktype) -> CInt {
    guard let context else { return CURL_SOCKOPT_ERROR }
    Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().prepare(socket)
    return CURL_SOCKOPT_OK
}

/// libcurl closes sockets behind our back, and a descriptor's number may be in use again right after this.
///
/// The context is the socket set, because a pooled connection outlives the transfer that made it.
private func onSocketClosing(context: UnsafeMutableRawPointer?, socket: curl_socket_t) -> CInt {
    if let context { Unmanaged<SocketSet>.fromOpaque(context).takeUnretainedValue().forget(socket) }
    return close(socket)
}
