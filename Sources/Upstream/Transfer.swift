import CCurl
import Flow
import Glibc
package import NIOHTTP1

/// What a transfer tells; always on its event loop, and nothing after `transferEnded` or `cancel()`.
package protocol TransferDelegate: AnyObject {
    /// An informational head (1xx, but for 100 and 101) in front of the final one.
    func transferInterim(_ head: UpstreamResponseHead)

    /// The final response head, once, in front of everything else.
    func transferHead(_ head: UpstreamResponseHead)

    /// The next bytes of the body, transfer coding removed; at most 16 KiB, valid during the call. All are taken: who has
    /// no room pauses the transfer, and then gets at most what libcurl had read already.
    func transferBytes(_ bytes: UnsafeRawBufferPointer)

    /// The fields behind a chunked body, where there are any; once, right in front of an end that is complete.
    func transferTrailers(_ trailers: HTTPHeaders)

    /// The end, once.
    func transferEnded(_ end: TransferEnd)

    /// The upstream would take more of the request's body. Told of requests alone that announce one.
    ///
    /// - Parameter target: Where to put it; valid during the call.
    /// - Returns: What was put there; after `nothingYet` it is not asked again before ``Transfer/bodyArrived()``.
    func transferBody(into target: UnsafeMutableRawBufferPointer) -> BodyPiece

    /// The fields behind a chunked body, asked for once all of it has been handed over.
    func transferBodyTrailers() -> HTTPHeaders
}

extension TransferDelegate {
    /// No request of this one has a body.
    package func transferBody(into target: UnsafeMutableRawBufferPointer) -> BodyPiece { .end }
    package func transferBodyTrailers() -> HTTPHeaders { [:] }
    package func transferTrailers(_ trailers: HTTPHeaders) {}
    package func transferInterim(_ head: UpstreamResponseHead) {}
}

/// What there is of a request's body at the moment.
package enum BodyPiece: Equatable, Sendable {
    /// So many bytes were put where they should; never 0.
    case bytes(Int)
    case nothingYet
    /// That was all of it.
    case end
    /// The rest will not come: the request is given up.
    case brokenOff
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

    /// `CURL_WRITEFUNC_PAUSE` and `CURL_READFUNC_PAUSE`, macros that Swift does not see.
    private static let pauseTransfer = 0x1000_0001
    /// `CURL_READFUNC_ABORT`.
    private static let abortTransfer = 0x1000_0000

    let easy: UnsafeMutableRawPointer
    unowned let loop: UpstreamLoop
    /// What the request's header says; to be written before its start, and left alone from there on.
    package var headers = HeaderList()
    private var announcedBody: UpstreamRequest.Body?
    private(set) var multi: MultiHandle?
    private(set) var origin: Origin?
    /// The origin's URL, and where to connect instead of its host, for libcurl.
    var url: OpaquePointer?
    var target: UnsafeMutablePointer<curl_slist>?
    /// Until the last call to it; it owns the transfer.
    private(set) var delegate: (any TransferDelegate)?

    private var parser = ResponseHeadParser()
    private var failure: UpstreamError?
    private var hasHead = false
    /// Whether others may be on its connection: libcurl hands over what has come for all of them, in one call.
    private var sharesConnection = false
    private var causes: PauseCauses = []
    /// Whether libcurl holds bytes that were not taken, and reads no more until it is told to go on.
    private(set) var isHeld = false
    var upload = Upload()
    /// Whether libcurl has paused it, in either direction.
    var isPaused: Bool { isHeld || upload.isHeld }
    /// Whether its easy handle is not to be used again.
    ///
    /// A pause may outlive its transfer. And before 8.7 libcurl does not forget that it has sent trailers: when the next
    /// body pauses it takes back room that it has not reserved, and writes in front of its buffer (`Curl_fillreadbuffer`).
    var isSpent: Bool { isPaused || upload.hasSentTrailers }
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
        curl_url_cleanup(url)
        curl_slist_free_all(target)
    }

    // MARK: What the owner may do

    /// Sends the request.
    ///
    /// The delegate may hear of the end before this returns.
    package func start() {
        weir_easy_set_headers(easy, headers.complete(for: announcedBody))
        loop.start(self)
    }

    /// Stops reading: nothing more is handed over.
    ///
    /// Allowed at any time, and free: libcurl is told when it next has something to hand over, which it then holds (at
    /// most one read of ``UpstreamRequest/readSize``).
    package func pause() { causes.insert(.queueFull) }

    /// Reads again; what libcurl held may be handed over before this returns, unless it is called from a delegate call.
    package func resume() { remove(.queueFull) }

    /// There is more of the request's body, or its end; may ask for it before this returns.
    package func bodyArrived() {
        guard upload.isHeld, !upload.hasMore else { return }
        upload.hasMore = true
        loop.resume(self)
    }

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
        parser = ResponseHeadParser(takesHTTP2: origin.speaksHTTP2)
        if self.origin !== origin {
            self.origin = origin
            connect(to: origin)
        }
        weir_easy_set_long(easy, CURLOPT_BUFFERSIZE, request.readSize.bytes)
        weir_easy_set_string(easy, CURLOPT_REQUEST_TARGET, request.target)
        setMethod(of: request)
        weir_easy_set_long(easy, CURLOPT_FRESH_CONNECT, isFresh ? 1 : 0)
        weir_easy_set_long(easy, CURLOPT_FORBID_REUSE, 0)
        headers.removeAll()
        announcedBody = request.body
    }

    /// libcurl is done with it.
    func ended(_ result: CURLcode) {
        guard !isCancelled else { return }
        let end = end(of: result)
        let told = delegate
        multi = nil  // from here on there is nothing to cancel
        delegate = nil
        if end == .complete, !parser.trailers.isEmpty { told?.transferTrailers(parser.trailers) }
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
        guard !isCancelled, multi != nil else { return }
        let reads = isHeld && causes.isEmpty
        guard reads || upload.canGoOn else { return }
        if reads { isHeld = false }
        if upload.canGoOn { upload.isHeld = false }
        curl_easy_pause(easy, (isHeld ? CURLPAUSE_RECV : 0) | (upload.isHeld ? CURLPAUSE_SEND : 0))
    }

    /// It is given up, and nobody else may be on its connection: that is closed behind it.
    ///
    /// For one that is shared nothing else would: what is on its way to nobody would be left there, and an upstream whose
    /// writes are held up need not read that the stream has been reset.
    func forbidReuse() { weir_easy_set_long(easy, CURLOPT_FORBID_REUSE, 1) }

    /// Makes it as new; it must be out of its multi handle.
    func recycle() {
        causes = []
        isHeld = false
        upload = Upload()
        multi = nil
        delegate = nil
        parser = ResponseHeadParser()
        failure = nil
        hasHead = false
        sharesConnection = false
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

    // MARK: Callbacks of libcurl, from Transfer+Options.swift

    /// CURLOPT_WRITEFUNCTION; returns the bytes taken: all, none to pause, or 0 to make libcurl give up.
    ///
    /// The pause is asked for by the return value and not by `curl_easy_pause`: after that, 8.14 runs the paused transfer's
    /// timer again and again, because only the former tells its writer (`Curl_xfer_is_blocked` in lib/transfer.c).
    func bytesArrived(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !isCancelled, let delegate else { return 0 }
        guard causes.isEmpty else {
            isHeld = true
            return Self.pauseTransfer
        }
        delegate.transferBytes(bytes)
        // A pause for the next turn would only move the bytes into libcurl's memory, and close the stream's window.
        guard !sharesConnection else { return isCancelled ? 0 : bytes.count }
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
    func lineArrived(_ line: UnsafeRawBufferPointer) -> Int {
        guard !isCancelled else { return 0 }
        do throws(ResponseHeadParser.Failure) {
            switch try parser.line(line) {
            case .more: break
            case .interim(let head):
                // 100 is for libcurl, which asked for it.
                if head.status != 100 { delegate?.transferInterim(head) }
            case .head(let head):
                hasHead = true
                sharesConnection = head.version == .http2
                delegate?.transferHead(head)
                // libcurl may want no more of the body now, and a transfer that is held would not come to its end.
                bodyArrived()
            }
        } catch {
            if case .malformed(let reason) = error { failure = .malformed(reason) }
            return 0
        }
        return isCancelled ? 0 : line.count
    }

    /// CURLOPT_READFUNCTION; returns the bytes put there, 0 for the body's end, or what makes libcurl wait or give up.
    func bodyWanted(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard !isCancelled, let delegate else { return Self.abortTransfer }
        let piece = delegate.transferBody(into: target)
        guard !isCancelled else { return Self.abortTransfer }
        switch piece {
        case .bytes(let count):
            upload.hasBegun = true
            return count
        case .nothingYet:
            upload.isHeld = true
            upload.hasMore = false
            return Self.pauseTransfer
        case .end: return 0
        case .brokenOff: return Self.abortTransfer
        }
    }

    /// CURLOPT_TRAILERFUNCTION; the lines behind the last chunk, which libcurl frees.
    func trailersWanted() -> UnsafeMutablePointer<curl_slist>? {
        upload.hasSentTrailers = true
        guard !isCancelled, let delegate else { return nil }
        return delegate.transferBodyTrailers().reduce(nil) { curl_slist_append($0, "\($1.name): \($1.value)") ?? $0 }
    }

    /// CURLOPT_PREREQFUNCTION: the head is about to be sent, maybe once more; whether it may be.
    func requestBegins() -> Bool { upload.begins(isAnswered: hasHead) }

    /// CURLOPT_SEEKFUNCTION: the body is wanted from its begin; whether none of it is gone.
    var canRewindBody: Bool { !upload.hasBegun }

    private func end(of result: CURLcode) -> TransferEnd {
        if let failure { return .failed(failure) }
        // 417 makes libcurl ask again without `Expect`; the client has that answer.
        if upload.wasRefused {
            return hasHead ? .complete : .failed(.brokenOff("the upstream closed a used connection"))
        }
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

    /// Before a connection is made: the receive buffer must be set before the window is negotiated (tcp(7)).
    func prepare(_ socket: CInt) {
        // 7.88 closes a socket that has not connected without a word: a predecessor's watch may stand under this number.
        loop.sockets.forget(socket)
        guard let size = origin?.receiveBuffer else { return }
        var bytes = CInt(clamping: size.bytes)
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<CInt>.size))
    }
}
