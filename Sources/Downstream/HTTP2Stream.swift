import NIOCore
import NIOHTTP2

/// How far the client has come with one stream of its connection.
///
/// Its window is its pace: a closed one is a client that does not read this stream, whatever it reads of the others.
final class HTTP2Stream {
    let id: HTTP2StreamID
    /// Until the stream is over.
    private var connection: HTTP2Connection?
    /// Body bytes that went out through the window.
    private(set) var sent = 0
    /// What the client lets come; known once it has changed.
    private var window = 1
    private(set) var isMetered = false
    private var unsentBefore: Int?
    private var takenBehindWindow = 0

    init(_ id: HTTP2StreamID, of connection: HTTP2Connection) { (self.id, self.connection) = (id, connection) }

    func wrote(_ bytes: Int) { sent += bytes }

    func windowChanged(to size: Int) { window = size }

    /// Body bytes that the client has let come, and what its kernel took while only that was waited for; never falls.
    ///
    /// What the kernel takes of other streams' bytes is no progress of this one, so it counts only where this stream's
    /// window, and the connection's, are open. One system call.
    func taken() -> Int {
        guard let connection else { return sent + takenBehindWindow }
        guard window > 0, connection.window > 0 else {
            unsentBefore = nil
            return sent + takenBehindWindow
        }
        let unsent = connection.unsentBytes
        takenBehindWindow += max(0, (unsentBefore ?? unsent) - unsent)
        unsentBefore = unsent
        return sent + takenBehindWindow
    }

    /// Says whether the stream's records leave at a pace; the connection's socket is for all of them.
    func expectPace(_ isMetered: Bool) {
        self.isMetered = isMetered
        connection?.paceChanged()
    }

    func closed() {
        connection?.streamClosed(self)
        connection = nil
    }
}
