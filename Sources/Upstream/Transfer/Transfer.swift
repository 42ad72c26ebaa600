import CCurl
import Flow
import NIOHTTP1

/// One request to an upstream and its response.
///
/// Belongs to one ``UpstreamLoop``; every call is on that loop. There is a new one for each request, so that no state of
/// one can reach the next; the easy handle, which is used again, is reset in between.
package final class Transfer {
    /// The most bytes that a transfer takes in one turn of the event loop; then the others have theirs.
    static let turnBudget = 64 << 10

    private unowned let loop: UpstreamLoop
    let method: HTTPMethod
    let origin: Origin
    private let announcedBody: UpstreamRequest.Body?
    /// Until the end or ``cancel()``.
    private(set) var multi: MultiHandle?
    private var easy: EasyHandle?
    /// Until the last call to it; it owns the transfer.
    private(set) var delegate: (any TransferDelegate)?
    /// Itself, while it is in its multi handle: libcurl holds a pointer to it.
    private var ownReference: Transfer?

    // The callbacks of libcurl use the following, in Transfer+Response.swift and Transfer+Upload.swift.

    var parser: ResponseHeadParser
    var body = ResponseBody.awaited
    var chunks = ChunkedDecoder()
    /// Of the bytes that libcurl holds, how many were taken before a pause.
    var takenOfHeld = 0
    var failure: UpstreamError?
    /// Whether others may be on its connection: libcurl hands over what has arrived for all of them, in one call.
    var sharesConnection = false
    var causes: PauseCauses = []
    /// Whether libcurl holds bytes that were not taken, and reads no more until it is resumed.
    var isHeld = false
    var upload: Upload
    private var turn: UInt64 = 0
    private var turnBytes = 0
    private(set) var isCancelled = false
    private(set) var forbidsReuse = false
    /// The last one that libcurl has waited for on its behalf: once it has a response, that of its connection.
    var socket: (descriptor: CInt, generation: UInt32)?

    init(
        _ request: UpstreamRequest, at origin: Origin, on multi: MultiHandle, isFresh: Bool, easy: EasyHandle,
        loop: UpstreamLoop, delegate: any TransferDelegate
    ) {
        self.loop = loop
        self.origin = origin
        self.multi = multi
        self.easy = easy
        self.delegate = delegate
        method = request.method
        announcedBody = request.body
        parser = ResponseHeadParser(takesHTTP2: origin.speaksHTTP2)
        upload = Upload(request.body, mayRepeat: request.method.isIdempotent, keepsBody: !isFresh)
        setOptions(of: easy, for: request, isFresh: isFresh, sockets: loop.sockets)
    }

    // MARK: What the owner may do

    /// The fields of the request's header; to be written before the start, and left alone from there on.
    package var headers: HeaderList {
        _read { yield handle.headers }
        _modify { yield &handle.headers }
    }

    /// Sends the request.
    ///
    /// The delegate may be called with the end before this returns.
    package func start() {
        guard let easy else { return }
        weir_easy_set_headers(easy.pointer, easy.headers.complete(for: announcedBody))
        loop.start(self)
    }

    /// Stops reading: nothing more is handed over.
    ///
    /// Allowed at any time, and free: libcurl learns of it when it next has something to hand over, which it then holds (at
    /// most one read of ``UpstreamRequest/readSize``).
    package func pause() { causes.insert(.queueFull) }

    /// Reads again; what libcurl held may be handed over before this returns, unless it is called from a delegate call.
    package func resume() { remove(.queueFull) }

    /// There is more of the request's body, or its end; may ask for it before this returns.
    package func bodyArrived() {
        guard multi != nil, upload.isHeld, !upload.hasMore else { return }
        upload.hasMore = true
        loop.resume(self)
    }

    /// Gives the transfer up: its connection is closed, the delegate is not called again.
    package func cancel() {
        guard !isCancelled, multi != nil else { return }
        isCancelled = true
        delegate = nil
        loop.release(self)
    }

    // MARK: What the loop does with it

    var isAdded: Bool { ownReference != nil }

    /// Adds its easy handle to its multi handle.
    ///
    /// - Returns: Whether libcurl took it.
    func add(to multi: MultiHandle) -> Bool {
        guard let easy, multi.add(easy.pointer) else { return false }
        ownReference = self
        return true
    }

    /// Takes its easy handle out of its multi handle, never from inside a callback of libcurl.
    func remove(from multi: MultiHandle) {
        guard let easy, isAdded else { return }
        multi.remove(easy.pointer)
        ownReference = nil
    }

    /// libcurl is done with it.
    func ended(_ result: CURLcode, wasClosedWhileIdle: Bool = false) {
        guard !isCancelled else { return }
        let end = wasClosedWhileIdle ? .failed(.closedWhileIdle) : end(of: result)
        let delegate = delegate
        multi = nil  // from here on there is nothing to cancel
        self.delegate = nil
        if end == .complete, !parser.trailers.isEmpty { delegate?.transferTrailers(parser.trailers) }
        delegate?.transferEnded(end)
    }

    /// Whether the connection, one that was used before, was closed as the request was sent, with nothing received.
    ///
    /// libcurl repeats the request by itself if it notices the close before it has sent the body, or as it reads
    /// (`Curl_retry_request` in lib/transfer.c).
    func wasClosedWhileIdle(_ result: CURLcode) -> Bool {
        guard result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR, !parser.hasBegun, let easy else { return false }
        var connects = 0
        return weir_easy_get_long(easy.pointer, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK && connects == 0
    }

    /// Prepares it to be added once more, on a new connection; it must be out of its multi handle.
    ///
    /// - Returns: Whether that is permitted and possible.
    func repeats() -> Bool {
        upload.isHeld = false
        return upload.mayRepeat && upload.rewind()
    }

    /// Gives up its easy handle, which must be out of its multi handle.
    ///
    /// - Parameter result: How the transfer ended for libcurl.
    /// - Returns: The handle, if another transfer may use it. `curl_easy_reset` clears neither a pause nor all that libcurl
    ///   notes about a repeated or failed request (`struct UrlState`): only a transfer that was complete at its first
    ///   attempt leaves its handle as a new one would be.
    func releaseHandle(after result: CURLcode) -> EasyHandle? {
        defer { easy = nil }
        return result == CURLE_OK && upload.attempts == 1 && !isPaused ? easy : nil
    }

    /// It was cancelled, and is out of its multi handle.
    func discarded() { (multi, easy) = (nil, nil) }

    /// The next turn of the loop began.
    func turnBegan() { remove(.turnBudget) }

    /// Lets libcurl continue, if no pause was requested since; never from inside a callback of libcurl.
    func applyResume() {
        guard !isCancelled, multi != nil, let easy else { return }
        let reads = isHeld && causes.isEmpty
        guard reads || upload.canGoOn else { return }
        if reads { isHeld = false }
        if upload.canGoOn { upload.isHeld = false }
        curl_easy_pause(easy.pointer, (isHeld ? CURLPAUSE_RECV : 0) | (upload.isHeld ? CURLPAUSE_SEND : 0))
        // If it is held again, libcurl would all the same read the socket once, because the other direction is not paused
        // (`select_bits_paused` in lib/transfer.c): what it holds would grow with each resume, and be lost with an error.
        if isHeld, upload.isComplete, !sharesConnection {
            curl_easy_pause(easy.pointer, CURLPAUSE_RECV | CURLPAUSE_SEND)
        }
    }

    /// Has its connection closed after it.
    ///
    /// Of one that is shared the connection would also end for others: that is only right if the transfer was given up, and
    /// nothing else would close it.
    func forbidReuse() {
        forbidsReuse = true
        easy?.forbidReuse()
    }

    static func of(_ easy: UnsafeMutableRawPointer) -> Transfer? {
        var context: UnsafeMutablePointer<CChar>?
        guard weir_easy_get_pointer(easy, CURLINFO_PRIVATE, &context) == CURLE_OK, let context else { return nil }
        return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: Helpers of the callbacks

    /// Counts what was taken in this turn of the loop.
    func count(_ bytes: Int) {
        // A pause for the next turn would only move the bytes into libcurl's memory, and close the stream's window.
        guard !sharesConnection else { return }
        if turn != loop.turn {
            turn = loop.turn
            turnBytes = 0
        }
        turnBytes += bytes
        if turnBytes >= Self.turnBudget, !causes.contains(.turnBudget) {
            causes.insert(.turnBudget)
            loop.continueNextTurn(self)
        }
    }

    /// Whether OpenSSL holds bytes that arrived after the response, in the same TLS record.
    var hasSurplusInTLS: Bool {
        guard origin.trust != nil, let easy else { return false }
        return weir_easy_has_tls_input(easy.pointer)
    }

    /// Any further attempt at the request uses a new connection.
    func useFreshConnection() { easy?.set(CURLOPT_FRESH_CONNECT, 1) }

    private var isPaused: Bool { isHeld || upload.isHeld }

    private var handle: EasyHandle {
        guard let easy else { preconditionFailure("the header of a request is written before its end") }
        return easy
    }

    private func remove(_ cause: PauseCauses) {
        causes.remove(cause)
        if causes.isEmpty, isHeld, multi != nil { loop.resume(self) }
    }
}
