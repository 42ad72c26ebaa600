import CCurl
import Flow
import Glibc
import NIOHTTP1

// The options of libcurl for a request, and the functions of C that it calls.

extension Transfer {
    /// Sets every option that differs from libcurl's default.
    ///
    /// The reasons are libcurl's own pages on each option. Each call costs about 100 instructions, so that defaults are left.
    func setOptions(of easy: EasyHandle, for request: UpstreamRequest, isFresh: Bool, sockets: SocketSet) {
        easy.user = Unmanaged.passUnretained(self).toOpaque()
        if easy.begin(request, at: origin) {
            // Not the transfer, so that these are set once for all transfers that use the handle.
            let context = Unmanaged.passUnretained(easy).toOpaque()
            setLastingOptions(of: easy, for: request, sockets: sockets, context)
            setMethod(of: easy, for: request, context)
        }
        easy.set(CURLOPT_REQUEST_TARGET, request.target)
        if isFresh { easy.connectAnew(true) }
    }

    /// Sets the options that are the same for each request of a kind to the origin, see ``EasyHandle/begin(_:at:)``.
    private func setLastingOptions(
        of easy: EasyHandle, for request: UpstreamRequest, sockets: SocketSet, _ context: UnsafeMutableRawPointer
    ) {
        weir_easy_set_pointer(easy.pointer, CURLOPT_PRIVATE, context)
        weir_easy_set_pointer(easy.pointer, CURLOPT_WRITEDATA, context)
        weir_easy_set_pointer(easy.pointer, CURLOPT_HEADERDATA, context)
        weir_easy_set_pointer(easy.pointer, CURLOPT_PREREQDATA, context)
        weir_easy_set_write(easy.pointer, onBytes)
        weir_easy_set_header(easy.pointer, onLine)
        weir_easy_set_prereq(easy.pointer, onRequest)
        weir_easy_set_headers(easy.pointer, easy.headers.items)
        weir_easy_set_closesocket(easy.pointer, onSocketClosing, Unmanaged.passUnretained(sockets).toOpaque())
        if origin.receiveBuffer != nil {
            // The handle retains the origin.
            weir_easy_set_sockopt(easy.pointer, onSocketMade, Unmanaged.passUnretained(origin).toOpaque())
        }
        easy.set(CURLOPT_NOSIGNAL, 1)
        // Removing a transfer must not wait for its name to be resolved.
        easy.set(CURLOPT_QUICK_EXIT, 1)
        // Not the environment's, which libcurl would look up for each request.
        easy.set(CURLOPT_PROXY, "")
        easy.set(CURLOPT_NOPROXY, "")
        easy.set(CURLOPT_PATH_AS_IS, 1)
        easy.set(CURLOPT_HTTP_CONTENT_DECODING, 0)
        // See ChunkedDecoder.
        easy.set(CURLOPT_HTTP_TRANSFER_DECODING, 0)
        easy.set(CURLOPT_MAXAGE_CONN, Self.maximumIdleSeconds)
        easy.connect(to: origin)
        easy.set(CURLOPT_BUFFERSIZE, request.readSize.bytes)
    }

    /// The longest time that a connection is idle and then used: less than 4 s.
    ///
    /// Below the 5 s after which uvicorn and Node close idle connections. libcurl compares whole seconds, rounded down, and
    /// accepts this number of them.
    private static let maximumIdleSeconds = 3

    private func setMethod(of easy: EasyHandle, for request: UpstreamRequest, _ context: UnsafeMutableRawPointer) {
        if let body = request.body {
            easy.set(CURLOPT_UPLOAD, 1)
            easy.set(CURLOPT_UPLOAD_BUFFERSIZE, Upload.bufferSize)
            weir_easy_set_offset(easy.pointer, CURLOPT_INFILESIZE_LARGE, Int64(body.length ?? -1))
            weir_easy_set_read(easy.pointer, onBodyWanted, context)
            weir_easy_set_seek(easy.pointer, onRewind, context)
            // After a chunked body only (RFC 9112, section 7.1.2).
            if body.length == nil { weir_easy_set_trailer(easy.pointer, onTrailersWanted, context) }
        } else if request.method == .HEAD {
            easy.set(CURLOPT_NOBODY, 1)
        }
        if request.body != nil || (request.method != .GET && request.method != .HEAD) {
            easy.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
    }
}

extension Transfer {
    /// The transfer that uses an ``EasyHandle``, the context of all callbacks.
    @inline(__always)
    static func using(_ handle: UnsafeMutableRawPointer?) -> Unmanaged<Transfer>? {
        guard let handle else { return nil }
        return Unmanaged<EasyHandle>.fromOpaque(handle)._withUnsafeGuaranteedRef(\.user).map {
            Unmanaged<Transfer>.fromOpaque($0)
        }
    }
}

private func onBytes(
    bytes: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    Transfer.using(context)?._withUnsafeGuaranteedRef {
        $0.bytesArrived(UnsafeRawBufferPointer(start: bytes, count: size * count))
    } ?? 0
}

private func onLine(
    bytes: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    Transfer.using(context)?._withUnsafeGuaranteedRef {
        $0.lineArrived(UnsafeRawBufferPointer(start: bytes, count: size * count))
    } ?? 0
}

private func onBodyWanted(
    target: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    Transfer.using(context)?._withUnsafeGuaranteedRef {
        $0.bodyWanted(UnsafeMutableRawBufferPointer(start: target, count: size * count))
    } ?? 0
}

private func onTrailersWanted(
    list: UnsafeMutablePointer<UnsafeMutablePointer<curl_slist>?>?, context: UnsafeMutableRawPointer?
) -> CInt {
    guard let transfer = Transfer.using(context), let list else { return CInt(CURL_TRAILERFUNC_ABORT) }
    list.pointee = transfer.takeUnretainedValue().trailersWanted()
    return CInt(CURL_TRAILERFUNC_OK)
}

private func onRewind(context: UnsafeMutableRawPointer?, offset: curl_off_t, origin: CInt) -> CInt {
    guard let transfer = Transfer.using(context), offset == 0, origin == SEEK_SET else { return CURL_SEEKFUNC_FAIL }
    return transfer.takeUnretainedValue().rewindBody() ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}

private func onRequest(
    context: UnsafeMutableRawPointer?, primary: UnsafeMutablePointer<CChar>?, local: UnsafeMutablePointer<CChar>?,
    primaryPort: CInt, localPort: CInt
) -> CInt {
    guard let transfer = Transfer.using(context) else { return CURL_PREREQFUNC_ABORT }
    return transfer.takeUnretainedValue().requestBegins() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

/// Before a connection is made: the receive buffer must be set before the window is negotiated (tcp(7)).
private func onSocketMade(context: UnsafeMutableRawPointer?, socket: curl_socket_t, purpose: curlsocktype) -> CInt {
    guard let context else { return CURL_SOCKOPT_ERROR }
    guard let size = Unmanaged<Origin>.fromOpaque(context).takeUnretainedValue().receiveBuffer else {
        return CURL_SOCKOPT_OK
    }
    var bytes = CInt(clamping: size.bytes)
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<CInt>.size))
    return CURL_SOCKOPT_OK
}

/// libcurl closes sockets at any time, and a descriptor's number may be in use again right after this.
///
/// The context is the socket set, because a pooled connection outlives the transfer that made it.
private func onSocketClosing(context: UnsafeMutableRawPointer?, socket: curl_socket_t) -> CInt {
    if let context { Unmanaged<SocketSet>.fromOpaque(context).takeUnretainedValue().forget(socket) }
    return close(socket)
}
