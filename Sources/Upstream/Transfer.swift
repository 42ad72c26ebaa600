import CCurl
import Flow
import Glibc
import NIOHTTP1

/// What a transfer tells; always on its event loop, and nothing after `transferEnded` or `cancel()`.
package protocol TransferDelegate: AnyObject {
    /// The final response head, once, in front of everything else.
    func transferHead(_ head: UpstreamResponseHead)

    /// The next bytes of the body, transfer coding removed; at most 16 KiB, valid during the call. All are taken: who has
    /// no room pauses the transfer, and then gets at most what libcurl had read already.
    func transferBytes(_ bytes: UnsafeRawBufferPointer)

    /// The end, once.
    func transferEnded(_ end: TransferEnd)
}

/// One request at an upstream and its response: an easy handle of libcurl while it is in use.
///
/// Belongs to one ``UpstreamLoop``, which lends it out again after its end; every call is on that loop.
package final class Transfer {
    /// The most bytes that a transfer takes in one turn of the event loop; then the others have theirs.
    ///
    /// libcurl 7.88 reads up to 100 times 16 KiB in one call, which starved live streams to 1.4 s beside bulk ones.
    static let turnBudget = 64 << 10

    /// `CURLE_TOO_LARGE`, which the headers name from 8.6 on.
    private static let tooLarge = CURLcode(rawValue: 100)

    /// `CURL_WRITEFUNC_PAUSE`, a macro that Swift does not see.
    private static let pauseTransfer = 0x1000_0001

    let easy: UnsafeMutableRawPointer
    private unowned let loop: UpstreamLoop
    private var headers = HeaderList()
    private(set) var multi: MultiHandle?
    private(set) var origin: Origin?
    /// Where to connect, for libcurl.
    var target: UnsafeMutablePointer<curl_slist>?
    /// Until the last call to it; it owns the transfer.
    private(set) var delegate: (any TransferDelegate)?

    private var parser = ResponseHeadParser()
    private var failure: UpstreamError?
    private var hasHead = false
    private var causes: PauseCauses = []
    /// Whether libcurl holds bytes that were not taken, and reads no more until it is told to go on.
    private(set) var isHeld = false
    private var turn: UInt64 = 0
    private var turnBytes = 0
    private(set) var isCancelled = false
    /// Whether it is in its multi handle.
    var isAdded = false
    /// The last one that libcurl has waited for on its behalf: once it has a response, that of its connection.
    var socket: (descriptor: CInt, generation: UInt32)?

    init(loop: UpstreamLoop) throws {
        guard let easy = curl_easy_init() else { throw SystemError(call: "curl_easy_init", code: ENOMEM) }
        self.easy = easy
        self.loop = loop
        setFixedOptions()
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(target)
    }

    // MARK: What the owner may do

    /// Sends the request.
    ///
    /// The delegate may hear of the end before this returns.
    package func start() { loop.start(self) }

    /// Stops reading: nothing more is handed over.
    ///
    /// Allowed at any time, and free: libcurl is told when it next has something to hand over, which it then holds (at
    /// most one read of ``UpstreamRequest/readSize``).
    package func pause() { causes.insert(.queueFull) }

    /// Reads again; what libcurl held may be handed over before this returns, unless it is called from a delegate call.
    package func resume() { remove(.queueFull) }

    /// Gives the transfer up: its connection is closed, the delegate is told nothing more.
    package func cancel() {
        guard !isCancelled, multi != nil else { return }
        isCancelled = true
        delegate = nil
        loop.release(self)
    }

    // MARK: What the loop does with it

    func prepare(
        _ request: UpstreamRequest, at origin: Origin, on multi: MultiHandle, isFresh: Bool,
        delegate: any TransferDelegate
    ) {
        self.delegate = delegate
        self.multi = multi
        if self.origin !== origin {
            self.origin = origin
            connect(to: origin)
        }
        weir_easy_set_long(easy, CURLOPT_BUFFERSIZE, request.readSize.bytes)
        weir_easy_set_string(easy, CURLOPT_REQUEST_TARGET, request.target)
        weir_easy_set_long(easy, request.method == .HEAD ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1)
        switch request.method {
        case .GET, .HEAD: weir_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, nil)
        default: weir_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
        weir_easy_set_long(easy, CURLOPT_FRESH_CONNECT, isFresh ? 1 : 0)
        weir_easy_set_headers(easy, headers.fill(request.headers))
    }

    /// libcurl is done with it.
    func ended(_ result: CURLcode) {
        guard !isCancelled else { return }
        let end = end(of: result)
        let told = delegate
        multi = nil  // from here on there is nothing to cancel
        delegate = nil
        told?.transferEnded(end)
    }

    /// The peer reset the connection while nobody read from it; libcurl would not look until it is resumed.
    func hungUp() {
        guard !isCancelled else { return }
        let told = delegate
        cancel()
        told?.transferEnded(.failed(.brokenOff("the upstream reset the connection while it was paused")))
    }

    /// The next turn of the loop began.
    func turnBegan() { remove(.turnBudget) }

    /// Lets libcurl go on, where no pause has been asked for since; never from inside a callback of libcurl.
    func applyResume() {
        guard causes.isEmpty, isHeld, !isCancelled, multi != nil else { return }
        isHeld = false
        curl_easy_pause(easy, CURLPAUSE_CONT)
    }

    /// Makes it as new; it must be out of its multi handle.
    func recycle() {
        causes = []
        isHeld = false
        multi = nil
        delegate = nil
        parser = ResponseHeadParser()
        failure = nil
        hasHead = false
        isCancelled = false
        turnBytes = 0
        socket = nil
    }

    static func of(_ easy: UnsafeMutableRawPointer) -> Transfer? {
        var context: UnsafeMutablePointer<CChar>?
        guard weir_easy_get_pointer(easy, CURLINFO_PRIVATE, &context) == CURLE_OK, let context else { return nil }
        return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private func remove(_ cause: PauseCauses) {
        causes.remove(cause)
        if causes.isEmpty, isHeld { loop.resume(self) }
    }

    // MARK: Callbacks of libcurl

    /// CURLOPT_WRITEFUNCTION; returns the bytes taken: all, none to pause, or 0 to make libcurl give up.
    ///
    /// The pause is asked for by the return value and not by `curl_easy_pause`: after that, 8.14 runs the paused transfer's
    /// timer again and again, because only the former tells its writer (`Curl_xfer_is_blocked` in lib/transfer.c).
    fileprivate func bytesArrived(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !isCancelled, let delegate else { return 0 }
        guard causes.isEmpty else {
            isHeld = true
            return Self.pauseTransfer
        }
        delegate.transferBytes(bytes)
        if turn != loop.turn {
            turn = loop.turn
            turnBytes = 0
        }
        turnBytes += bytes.count
        if turnBytes >= Self.turnBudget, !causes.contains(.turnBudget) {
            causes.insert(.turnBudget)
            loop.continueNextTurn(self)
        }
        return isCancelled ? 0 : bytes.count
    }

    /// CURLOPT_HEADERFUNCTION.
    fileprivate func lineArrived(_ line: UnsafeRawBufferPointer) -> Int {
        guard !isCancelled else { return 0 }
        do throws(ResponseHeadParser.Failure) {
            if case .head(let head) = try parser.line(line) {
                hasHead = true
                delegate?.transferHead(head)
            }
        } catch {
            if case .malformed(let reason) = error { failure = .malformed(reason) }
            return 0
        }
        return isCancelled ? 0 : line.count
    }

    private func end(of result: CURLcode) -> TransferEnd {
        if let failure { return .failed(failure) }
        let text = String(cString: curl_easy_strerror(result))
        switch result {
        case CURLE_OK:
            return hasHead ? .complete : .failed(.brokenOff("the upstream closed without a response"))
        case CURLE_COULDNT_RESOLVE_HOST: return .failed(.unresolved(text))
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER:
            return .failed(.untrusted(text))
        case CURLE_COULDNT_CONNECT: return .failed(.unreachable(text))
        // The only time limit that libcurl is given is that of the connection.
        case CURLE_OPERATION_TIMEDOUT: return .failed(.connectTimeout)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING, Self.tooLarge:
            return .failed(.malformed(text))
        default: return .failed(.brokenOff(text))
        }
    }

    /// What holds for every request; the reasons are libcurl's own pages on each option.
    private func setFixedOptions() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        weir_easy_set_pointer(easy, CURLOPT_PRIVATE, context)
        weir_easy_set_write(easy, onBytes, context)
        weir_easy_set_header(easy, onLine, context)
        weir_easy_set_sockopt(easy, onSocketMade, context)
        weir_easy_set_closesocket(easy, onSocketClosing, Unmanaged.passUnretained(loop.sockets).toOpaque())
        loop.shareNames(with: easy)
        weir_easy_set_long(easy, CURLOPT_NOSIGNAL, 1)
        // Removing a transfer must not wait for its name to be resolved (7.87).
        weir_easy_set_long(easy, CURLOPT_QUICK_EXIT, 1)
        weir_easy_set_string(easy, CURLOPT_PROXY, "")  // not the environment's
        weir_easy_set_long(easy, CURLOPT_PATH_AS_IS, 1)
        weir_easy_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        weir_easy_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        weir_easy_set_long(easy, CURLOPT_HTTP09_ALLOWED, 0)
        weir_easy_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        weir_easy_set_long(easy, CURLOPT_HTTP_CONTENT_DECODING, 0)
        weir_easy_set_long(easy, CURLOPT_TCP_NODELAY, 1)
        weir_easy_set_long(easy, CURLOPT_NOPROGRESS, 1)
        // Below the 5 s after which uvicorn and Node close idle connections; libcurl retries the race by itself.
        weir_easy_set_long(easy, CURLOPT_MAXAGE_CONN, 4)
    }

    /// Before a connection is made: the receive buffer must be set before the window is negotiated (tcp(7)).
    fileprivate func prepare(_ socket: CInt) {
        // 7.88 closes a socket that has not connected without a word: a predecessor's watch may stand under this number.
        loop.sockets.forget(socket)
        guard let size = origin?.receiveBuffer else { return }
        var bytes = CInt(clamping: size.bytes)
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<CInt>.size))
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
