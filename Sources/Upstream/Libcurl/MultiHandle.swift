import CCurl
import Flow
import Glibc

/// Receives what libcurl reports about a multi handle, in the middle of a call to libcurl.
protocol MultiHandleDelegate: AnyObject {
    /// libcurl's timer was set to this many milliseconds from now; to -1 if it was removed.
    func timerChanged(of handle: MultiHandle, milliseconds: Int)

    /// libcurl waits for other events on a socket: `CURL_POLL_IN`, `_OUT`, `_INOUT` or `_REMOVE`.
    func socketChanged(_ socket: CInt, of handle: MultiHandle, easy: UnsafeMutableRawPointer?, interest: CInt)
}

/// One multi handle of libcurl and its timer; one of many on an event loop.
///
/// Many small ones, because libcurl walks all live connections of a handle when it starts a transfer: with 8,000 live
/// streams in one handle a short request cost 836 µs instead of 30.
final class MultiHandle {
    let tag: Int
    /// Whether its transfers share connections, all to origins that speak HTTP/2; else each has one of its own.
    let multiplexes: Bool
    private let handle: UnsafeMutableRawPointer
    private unowned let delegate: any MultiHandleDelegate
    /// Transfers that have been started and have not ended.
    private(set) var active = 0
    /// When libcurl is to be called although no socket is ready.
    var deadline = Instant.distantFuture
    /// Whether fewer are running than have been started, since ``nextFinished()`` had none.
    private(set) var mayHaveFinished = false

    /// - Parameters:
    ///   - tag: Its index among the handles of its loop; a ready socket is reported with it.
    ///   - multiplexes: Whether its transfers share connections.
    ///   - maximumIdle: How many idle connections it keeps for later requests.
    ///   - delegate: Outlives the handle.
    /// - Throws: If libcurl has no memory for it.
    init(tag: Int, multiplexes: Bool, maximumIdle: Int, delegate: any MultiHandleDelegate) throws {
        guard let handle = curl_multi_init() else { throw SystemError(call: "curl_multi_init", code: ENOMEM) }
        self.handle = handle
        self.tag = tag
        self.multiplexes = multiplexes
        self.delegate = delegate
        let context = Unmanaged.passUnretained(self).toOpaque()
        weir_multi_set_socket(handle, onSocket, context)
        weir_multi_set_timer(handle, onTimer, context)
        weir_multi_set_long(handle, CURLMOPT_MAXCONNECTS, maximumIdle)
        weir_multi_set_long(
            handle, CURLMOPT_PIPELINING, Int(multiplexes ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING))
    }

    deinit {
        // The cleanup closes connections, and nothing need be known of them: the delegate may be ending as well.
        weir_multi_set_socket(handle, nil, nil)
        weir_multi_set_timer(handle, nil, nil)
        curl_multi_cleanup(handle)
    }

    func add(_ easy: UnsafeMutableRawPointer) -> Bool {
        guard curl_multi_add_handle(handle, easy) == CURLM_OK else { return false }
        active += 1
        return true
    }

    /// Takes a transfer out, never from inside a callback of libcurl.
    ///
    /// An unfinished one loses its connection, or its stream of one that others use as well.
    func remove(_ easy: UnsafeMutableRawPointer) {
        if curl_multi_remove_handle(handle, easy) == CURLM_OK { active -= 1 }
    }

    /// A socket is ready.
    func socketReady(_ socket: CInt, events: CInt) {
        var running: CInt = 0
        curl_multi_socket_action(handle, socket, events, &running)
        if running < active { mayHaveFinished = true }
    }

    /// The timer has run out, or libcurl asked to be called at once.
    func timedOut() {
        deadline = .distantFuture
        socketReady(CURL_SOCKET_TIMEOUT, events: 0)
    }

    /// Takes the next finished easy handle and its result.
    func nextFinished() -> (UnsafeMutableRawPointer, CURLcode)? {
        guard mayHaveFinished else { return nil }
        var result = CURLE_OK
        if let easy = weir_multi_next_done(handle, &result) { return (easy, result) }
        mayHaveFinished = false
        return nil
    }

    fileprivate func timerChanged(milliseconds: Int) { delegate.timerChanged(of: self, milliseconds: milliseconds) }

    fileprivate func socketChanged(_ socket: CInt, easy: UnsafeMutableRawPointer?, interest: CInt) {
        delegate.socketChanged(socket, of: self, easy: easy, interest: interest)
    }
}

/// CURLMOPT_SOCKETFUNCTION.
private func onSocket(
    easy: UnsafeMutableRawPointer?, socket: curl_socket_t, interest: CInt, context: UnsafeMutableRawPointer?,
    socketContext: UnsafeMutableRawPointer?
) -> CInt {
    guard let context else { return -1 }
    Unmanaged<MultiHandle>.fromOpaque(context).takeUnretainedValue().socketChanged(
        socket, easy: easy, interest: interest)
    return 0
}

/// CURLMOPT_TIMERFUNCTION.
private func onTimer(
    multi: UnsafeMutableRawPointer?, milliseconds: Int, context: UnsafeMutableRawPointer?
) -> CInt {
    guard let context else { return -1 }
    Unmanaged<MultiHandle>.fromOpaque(context).takeUnretainedValue().timerChanged(milliseconds: milliseconds)
    return 0
}
