package import Downstream
package import Flow
package import NIOHTTP1

/// A response without a connection: keeps what is written, and has as much room as the test gives it.
package final class FakeResponse: ConnectionResponse {
    package var delegate: (any ResponseWriterDelegate)?
    /// The status codes of the informational heads.
    package private(set) var interim: [HTTPResponseStatus] = []
    package private(set) var status: HTTPResponseStatus?
    package private(set) var headers = HTTPHeaders()
    package private(set) var bodyLength: ResponseBodyLength?
    package private(set) var body: [UInt8] = []
    package private(set) var trailers = HTTPHeaders()
    package private(set) var closesAfterwards = false
    package private(set) var hasEnded = false
    /// The response has ended before it was complete.
    package private(set) var isBroken = false
    /// The response was reset: what was not sent is discarded.
    package private(set) var isAborted = false
    /// Whether the last call about the pace said that records leave at one; `nil` before the first.
    package private(set) var isMetered: Bool?
    package private(set) var isConnected = true
    package private(set) var awaitsAcknowledgement = false

    /// The room while the response is open; 0 is a client that does not read.
    package var openRoom = 1 << 16
    /// Called before each reading of the room, which may send and find that the client has left.
    package var roomIsRead: () -> Void = {}
    package var canSendTrailers = false
    /// What the client's kernel has acknowledged; `nil` is all that was written.
    package var taken: ByteCount?
    package var pendingBytes = ByteCount.zero

    package init() {}

    package var hasHead: Bool { status != nil }
    package var room: Int {
        roomIsRead()
        return hasEnded ? 0 : openRoom
    }
    package var bytesTaken: ByteCount { taken ?? ByteCount(body.count) }
    package var text: String { String(decoding: body, as: UTF8.self) }

    // MARK: The client

    /// The client reads again.
    package func makeRoom(_ bytes: Int = 1 << 16) {
        openRoom = bytes
        delegate?.responseCaughtUp()
    }

    /// The client disconnects.
    package func disconnect() {
        (isConnected, hasEnded) = (false, true)
        let delegate = delegate
        self.delegate = nil
        delegate?.responseClosed()
    }

    /// The client's socket takes the end of the response.
    package func finish() {
        let delegate = delegate
        self.delegate = nil
        delegate?.responseFinished()
    }

    // MARK: The writer

    package func turnEnded() {}
    package func closeAfterwards() { closesAfterwards = true }
    package func awaitAcknowledgement() { awaitsAcknowledgement = true }
    package func expectPace(_ isMetered: Bool) { self.isMetered = isMetered }

    package func writeInterim(_ status: HTTPResponseStatus, headers: HTTPHeaders) {
        guard !hasEnded else { return }
        interim.append(status)
    }

    package func writeHead(_ status: HTTPResponseStatus, headers: HTTPHeaders, body: ResponseBodyLength) {
        guard !hasEnded else { return }
        guard self.status == nil else { return abort() }
        (self.status, self.headers, bodyLength) = (status, headers, body)
    }

    package func write(_ bytes: UnsafeRawBufferPointer) {
        guard !hasEnded else { return }
        body += bytes
    }

    package func end(trailers: HTTPHeaders) {
        guard !hasEnded else { return }
        (hasEnded, self.trailers) = (true, trailers)
    }

    package func breakOff() {
        guard !hasEnded else { return }
        (hasEnded, isBroken) = (true, true)
    }

    package func abort() {
        guard !hasEnded else { return }
        (hasEnded, isBroken, isAborted) = (true, true, true)
    }
}
