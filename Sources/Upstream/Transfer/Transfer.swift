import CCurl
import Flow
import NIOHTTP1

/// One request to an upstream and its response.
///
/// Belongs to one ``UpstreamLoop``; every call is on that loop. There is a new one for each request, so that no state of
/// one can reach the next; the easy handle, which is used again, is reset in between.
package final class Transfer {
    private let lists: TransferLists
    let method: HTTPMethod
    let origin: Origin
    /// Until the end or ``cancel()``.
    private(set) var multi: MultiHandle?
    private var easy: EasyHandle?
    /// Until the last call to it; it owns the transfer.
    private(set) var delegate: (any TransferDelegate)?
    /// Itself, while it is in its multi handle: libcurl holds a pointer to it.
    private var ownReference: Transfer?
    private var pauses = TransferPauses()
    private(set) var isCancelled = false
    /// What libcurl reported with an error; `nil` before one.
    private(set) var libcurlFailure: LibcurlFailure?

    // The callbacks of libcurl use the following, in Transfer+Response.swift and Transfer+Upload.swift.

    var response: TransferResponse
    var upload: Upload
    var connection = TransferConnection()

    init(
        _ request: UpstreamRequest, at origin: Origin, on multi: MultiHandle, isFresh: Bool, easy: EasyHandle,
        sockets: SocketSet, lists: TransferLists, delegate: any TransferDelegate
    ) {
        self.lists = lists
        self.origin = origin
        self.multi = multi
        self.easy = easy
        self.delegate = delegate
        method = request.method
        response = TransferResponse(takesHTTP2: origin.speaksHTTP2)
        upload = Upload(request.body, mayRepeat: request.method.isIdempotent, keepsBody: !isFresh)
        setOptions(of: easy, for: request, isFresh: isFresh, sockets: sockets)
    }

    // MARK: What the owner may do

    /// The fields of the request's header; to be written before the start, and not changed after it.
    package var headers: HeaderList {
        _read { yield handle.headers }
        _modify { yield &handle.headers }
    }

    /// Sends the request.
    ///
    /// The delegate may be called with the end before this returns.
    package func start() {
        guard let easy else { return }
        easy.headers.complete(for: upload.announced)
        lists.start(self)
    }

    /// Stops reading: nothing more is passed on.
    ///
    /// Allowed at any time, and free: libcurl gets the pause when it next has something to pass, which it then keeps (at
    /// most one read of ``UpstreamRequest/readSize``).
    package func pause() { pauses.begin(.queueFull) }

    /// Reads again: what libcurl kept is passed on at the end of the loop's turn, never before this returns.
    package func resume() { remove(.queueFull) }

    /// Whether the upstream may have got a part of the request: libcurl had a connection for it.
    package var wasSent: Bool { upload.attempts > 0 }

    /// There is more of the request's body, or its end, which is read at the end of the loop's turn.
    package func bodyArrived() {
        guard multi != nil, upload.isHeld, !upload.hasMore else { return }
        upload.hasMore = true
        lists.resume(self)
    }

    /// Ends the transfer at once: its connection is closed, the delegate is not called again.
    package func cancel() {
        guard !isCancelled, multi != nil else { return }
        isCancelled = true
        delegate = nil
        lists.release(self)
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
        if end == .complete, !response.parser.trailers.isEmpty { delegate?.transferTrailers(response.parser.trailers) }
        delegate?.transferEnded(end)
    }

    /// Whether the connection, one that was used before, was closed as the request was sent, with nothing received.
    ///
    /// libcurl repeats the request by itself if it notices the close before it has sent the body, or as it reads
    /// (`Curl_retry_request` in lib/transfer.c).
    func wasClosedWhileIdle(_ result: CURLcode) -> Bool {
        guard result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR, !response.parser.hasBegun, let easy else {
            return false
        }
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
        if result != CURLE_OK, let easy { libcurlFailure = LibcurlFailure(of: easy) }
        return result == CURLE_OK && upload.attempts == 1 && !isPaused ? easy : nil
    }

    /// It was cancelled, and is out of its multi handle.
    func discarded() { (multi, easy) = (nil, nil) }

    /// The next turn of the loop began.
    func turnBegan() { remove(.turnBudget) }

    /// Lets libcurl continue, if no pause was requested since; never from inside a callback of libcurl.
    func applyResume() {
        guard !isCancelled, multi != nil, let easy else { return }
        let reads = response.isHeld && pauses.isEmpty
        guard reads || upload.canGoOn else { return }
        if reads { response.isHeld = false }
        if upload.canGoOn { upload.isHeld = false }
        curl_easy_pause(easy.pointer, (response.isHeld ? CURLPAUSE_RECV : 0) | (upload.isHeld ? CURLPAUSE_SEND : 0))
        // If it is held again, libcurl would all the same read the socket once, because the other direction is not paused
        // (`select_bits_paused` in lib/transfer.c): what it holds would grow with each resume, and be lost with an error.
        if response.isHeld, upload.isComplete, !connection.isShared {
            curl_easy_pause(easy.pointer, CURLPAUSE_RECV | CURLPAUSE_SEND)
        }
    }

    /// Has its connection closed after it.
    ///
    /// Of one that is shared the connection would also end for others: that is only right if the transfer was given up, and
    /// nothing else would close it.
    func forbidReuse() {
        connection.forbidsReuse = true
        easy?.forbidReuse()
    }

    static func of(_ easy: UnsafeMutableRawPointer) -> Transfer? {
        var context: UnsafeMutablePointer<CChar>?
        guard weir_easy_get_pointer(easy, CURLINFO_PRIVATE, &context) == CURLE_OK else { return nil }
        return using(context.map { UnsafeMutableRawPointer($0) })?.takeUnretainedValue()
    }

    // MARK: Helpers of the callbacks

    /// Counts what was taken in this turn of the loop.
    func count(_ bytes: Int) {
        // A pause for the next turn would only move the bytes into libcurl's memory, and close the stream's window.
        if !connection.isShared, pauses.count(bytes, in: lists.turn) { lists.continueNextTurn(self) }
    }

    /// Whether OpenSSL holds bytes that arrived after the response, in the same TLS record.
    var hasSurplusInTLS: Bool {
        guard origin.trust != nil, let easy else { return false }
        return weir_easy_has_tls_input(easy.pointer)
    }

    /// The request's header is not needed any more.
    func releaseHeaders() { easy?.headers.release() }

    /// Whether libcurl reads a ready socket only once.
    func readOnce(_ isEnough: Bool) { easy?.readOnce(isEnough) }

    /// Any further attempt at the request uses a new connection.
    func useFreshConnection() { easy?.connectAnew(true) }

    /// Whether a cause of a pause is present, although libcurl need not hold anything yet.
    var isPauseRequested: Bool { !pauses.isEmpty }

    private var isPaused: Bool { response.isHeld || upload.isHeld }

    private var handle: EasyHandle {
        guard let easy else { preconditionFailure("the header of a request is written before its end") }
        return easy
    }

    private func remove(_ cause: PauseCauses) {
        pauses.end(cause)
        if pauses.isEmpty, response.isHeld, multi != nil { lists.resume(self) }
    }
}
