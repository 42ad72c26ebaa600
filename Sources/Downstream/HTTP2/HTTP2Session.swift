import CNghttp2
import NIOCore
import NIOHTTP1

/// The frames of one connection: libnghttp2's session, driven from memory to memory.
///
/// While it reads or writes (``isBusy``), libnghttp2 calls ``HTTP2Callbacks``. A callback may submit frames; it must not read or
/// write, and it cannot free the session, which the caller of ``receive(_:)`` or ``nextBatch(in:)`` retains.
/// https://nghttp2.org/documentation/programmers-guide.html
final class HTTP2Session {
    /// libnghttp2 cannot continue: the connection must end without another frame.
    struct Failure: Error, Equatable {
        let code: CInt

        /// In libnghttp2's words.
        var reason: String { String(cString: nghttp2_strerror(code)) }
    }

    /// The largest frame that weir accepts: it announces no larger one (RFC 9113, section 6.5.2).
    private static let frameSize = 16384
    /// Answers to PING and SETTINGS that may wait for a client that does not read.
    private static let maximumUnsentAnswers = 200
    /// More than any response's head can have: the upstream's is bounded by 64 KiB.
    private static let maximumSentHead = 1 << 20
    private static let minimumContinuations = 8
    /// Resets and other frames that may wait for a client that does not read, beyond one head for each stream.
    private static let maximumWaitingFrames = 1000

    private let session: OpaquePointer
    private let maximumStreams: Int
    /// Receives what the session reads, until ``end()``.
    private(set) var connection: HTTP2Connection?
    private(set) var isBusy = false
    /// What is sent next, in the order of the wire.
    var output = ByteBuffer()
    /// The latest rule that a frame violated.
    var violation: CInt = 0

    /// - Parameters:
    ///   - connection: Receives what the session reads; retained until ``end()``.
    ///   - maximumStreams: Requests at a time; announced to the client.
    ///   - maximumHeaderBytes: The most that a head may have; announced to the client.
    /// - Throws: That there is no memory.
    init(of connection: HTTP2Connection, maximumStreams: Int, maximumHeaderBytes: Int) throws {
        var options: OpaquePointer?
        try Self.check(nghttp2_option_new(&options))
        defer { nghttp2_option_del(options) }
        // A stream's window is given back as its body is taken.
        nghttp2_option_set_no_auto_window_update(options, 1)
        // weir counts those that cost it something (``HTTP2AbuseLimits``).
        nghttp2_option_set_stream_reset_rate_limit(options, .max, .max)
        nghttp2_option_set_max_outbound_ack(options, Self.maximumUnsentAnswers)
        nghttp2_option_set_max_send_header_block_length(options, Self.maximumSentHead)
        // As many as a head of the largest size needs.
        nghttp2_option_set_max_continuations(
            options, max(Self.minimumContinuations, maximumHeaderBytes / Self.frameSize + 1))
        var session: OpaquePointer?
        try Self.check(nghttp2_session_server_new2(&session, HTTP2Callbacks.all, nil, options))
        guard let session else { throw Failure(code: NGHTTP2_ERR_NOMEM.rawValue) }
        (self.session, self.maximumStreams, self.connection) = (session, maximumStreams, connection)
        // Not retained: the session ends in this object's deinit.
        nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
        let settings = [
            Self.setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, maximumStreams),
            Self.setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, maximumHeaderBytes),
            // Streams share a connection evenly: RFC 9113, section 5.3.2, leaves the old signals to the server.
            Self.setting(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        try Self.check(nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count))
    }

    deinit { nghttp2_session_del(session) }

    /// Nothing more is reported.
    func end() { connection = nil }

    private static func setting(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(value))
    }

    private static func check(_ code: CInt) throws(Failure) {
        if code < 0 { throw Failure(code: code) }
    }

    // MARK: The wire

    /// Reads what has arrived.
    func receive(_ bytes: ByteBuffer) throws(Failure) {
        isBusy = true
        let count = bytes.withUnsafeReadableBytes { bytes in
            nghttp2_session_mem_recv(session, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
        isBusy = false
        try Self.check(CInt(clamping: count))
    }

    /// Frames the next batch of what streams have, as far as windows allow.
    ///
    /// It has ``BatchSize/maximum`` bytes if there are as many; the last frame may exceed that.
    ///
    /// - Parameter buffers: The loop's; the batch is given back to them.
    /// - Returns: The batch; `nil` if there is nothing to send.
    /// - Throws: That libnghttp2 cannot continue.
    func nextBatch(in buffers: HTTP2Buffers) throws(Failure) -> ByteBuffer? {
        output = buffers.takeOutput()
        defer { output = ByteBuffer() }
        try collect()
        if output.readableBytes > 0 { return output }
        buffers.giveBack(output: output)
        return nil
    }

    private func collect() throws(Failure) {
        isBusy = true
        var count = 1
        while count > 0, !isOutputFull {
            var frame: UnsafePointer<UInt8>?
            count = nghttp2_session_mem_send(session, &frame)
            if count > 0 { output.writeBytes(UnsafeRawBufferPointer(start: frame, count: count)) }
        }
        isBusy = false
        try Self.check(CInt(clamping: count))
    }

    /// Whether ``output`` has the bytes of a batch.
    var isOutputFull: Bool { output.readableBytes >= BatchSize.maximum }

    /// Whether nothing more will be read or written, after a GOAWAY of either side.
    var isDone: Bool { nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0 }

    /// Whether more frames wait for the client than a client that reads causes; DATA is not counted.
    var hasTooManyWaitingFrames: Bool {
        nghttp2_session_get_outbound_queue_size(session) > Self.maximumWaitingFrames + 2 * maximumStreams
    }

    // MARK: Streams

    /// Lets a stream take turns with the others, whatever priority its client sends (RFC 9218, section 10).
    ///
    /// Otherwise a stream that does not end would starve those after it.
    func shareEvenly(_ stream: Int32) {
        var priority = nghttp2_extpri(urgency: UInt32(NGHTTP2_EXTPRI_DEFAULT_URGENCY), inc: 1)
        nghttp2_session_change_extpri_stream_priority(session, stream, &priority, 1)
    }

    /// Begins a response.
    ///
    /// - Parameters:
    ///   - fields: Its head.
    ///   - stream: The stream's number.
    ///   - hasBody: Whether more than the head follows: ``HTTP2Connection/nextPiece(of:upTo:)`` returns it.
    func submitHead(_ fields: inout HTTP2FieldBlock, on stream: Int32, hasBody: Bool) {
        var provider = nghttp2_data_provider(source: .init(), read_callback: HTTP2Callbacks.readBody)
        let code = fields.withFields { fields, count in
            hasBody
                ? nghttp2_submit_response(session, stream, fields, count, &provider)
                : nghttp2_submit_response(session, stream, fields, count, nil)
        }
        submitted(code, on: stream)
    }

    /// Sends an informational head (1xx).
    func submitInterim(_ fields: inout HTTP2FieldBlock, on stream: Int32) {
        let code = fields.withFields { fields, count in
            nghttp2_submit_headers(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, nil, fields, count, nil)
        }
        submitted(code, on: stream)
    }

    /// Ends a response whose body has been read.
    func submitTrailers(_ fields: inout HTTP2FieldBlock, on stream: Int32) {
        submitted(fields.withFields { nghttp2_submit_trailer(session, stream, $0, $1) }, on: stream)
    }

    /// A stream that waited for bytes of its body has some, or its end.
    func resume(_ stream: Int32) { nghttp2_session_resume_data(session, stream) }

    func reset(_ stream: Int32, _ code: HTTP2ErrorCode) {
        // Fails only without memory, as everything does then.
        _ = nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
    }

    /// Resets a stream whose frame cannot be sent.
    private func submitted(_ code: CInt, on stream: Int32) {
        if code < 0 { headFailed(on: stream) }
    }

    func headFailed(on stream: Int32) {
        connection?.streams[stream]?.headFailed()
        reset(stream, .internalError)
    }

    // MARK: Windows

    /// Whether the windows of the client allow bytes of this stream.
    func isWindowOpen(of stream: Int32) -> Bool {
        nghttp2_session_get_remote_window_size(session) > 0
            && nghttp2_session_get_stream_remote_window_size(session, stream) > 0
    }

    /// Gives back the connection's window for bytes that arrived.
    func consume(_ bytes: Int) { nghttp2_session_consume_connection(session, bytes) }

    /// Gives back a stream's window for bytes that were taken.
    func consume(_ bytes: Int, of stream: Int32) { nghttp2_session_consume_stream(session, stream, bytes) }

    // MARK: The end

    /// Announces that requests will be refused (RFC 9113, section 6.8).
    func announceEnd() { nghttp2_submit_shutdown_notice(session) }

    /// Refuses requests that are not known yet.
    func refuseRequests() {
        let last = nghttp2_session_get_last_proc_stream_id(session)
        _ = nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, HTTP2ErrorCode.noError.rawValue, nil, 0)
    }

    /// Ends the connection because of what the client sent.
    func terminate(_ code: HTTP2ErrorCode) { nghttp2_session_terminate_session(session, code.rawValue) }
}
