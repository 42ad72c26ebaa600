import Flow
import NIOCore
import NIOHTTP1

extension HTTP2Stream: ConnectionResponse {
    var isConnected: Bool { connection != nil }
    func turnEnded() { services.outbox.turnEnded() }
    var hasHead: Bool { output.hasHead }
    var hasEnded: Bool { output.hasEnded }

    var canSendTrailers: Bool { reception.acceptsTrailers && output.canSendTrailers(toHead: reception.isHead) }

    var room: Int {
        guard let connection, output.state == .open, !output.isBlocked else { return 0 }
        if let room = output.room(isWritable: connection.isWritable) { return room }
        // If the most that libcurl delivers at once does not fit, send first: then it is known whether the client takes it.
        if !output.isEmpty { connection.flush() }
        if output.isEmpty, connection.isWritable { return BatchSize.maximum }
        output.blocked()
        stage()
        return 0
    }

    /// Body bytes that the client has taken; one system call.
    var bytesTaken: ByteCount {
        let isOpen = connection?.session?.isWindowOpen(of: id) ?? false
        taken.observe(unsent: isOpen ? connection?.context?.channel.unsentBytes : nil)
        return ByteCount(taken.total)
    }

    var pendingBytes: ByteCount { ByteCount(output.blockedBytes) }

    /// The connection continues whatever a response does.
    func closeAfterwards() {}

    func awaitAcknowledgement() { awaitsAcknowledgement = true }

    func writeInterim(_ status: HTTPResponseStatus, headers: HTTPHeaders) {
        guard let connection, output.state == .idle else { return }
        setFields(status, headers)
        connection.session?.submitInterim(&buffers.fields, on: id)
        connection.stage()
    }

    func writeHead(_ status: HTTPResponseStatus, headers: HTTPHeaders, body: ResponseBodyLength) {
        guard output.state == .idle else { return output.state == .open ? abort() : () }
        output.begin(body, isHead: reception.isHead)
        guard let connection else { return }
        setFields(status, headers)
        connection.session?.submitHead(&buffers.fields, on: id, hasBody: output.hasBody)
        stage()
    }

    private func setFields(_ status: HTTPResponseStatus, _ headers: HTTPHeaders) {
        buffers.fields.removeAll()
        buffers.fields.add(":status", String(status.code))
        buffers.fields.add(headers)
    }

    func write(_ bytes: UnsafeRawBufferPointer) {
        if connection != nil, output.write(bytes, in: buffers) { stage() }
    }

    func end(trailers: HTTPHeaders) {
        guard output.state == .open else { return }
        output.end(trailers: canSendTrailers && !trailers.isEmpty ? trailers : nil)
        dropBody()
        stage()
    }

    func breakOff() {
        guard !output.hasEnded else { return }
        let resetsNow = output.breakOff()
        dropBody()
        if resetsNow { resetInSession(.internalError) }
        stage()
    }

    /// The code reports that the client is the reason.
    func abort() { reset(.enhanceYourCalm) }
}
