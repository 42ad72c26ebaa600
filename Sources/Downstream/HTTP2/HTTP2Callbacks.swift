import CNghttp2
import NIOCore

/// The functions that libnghttp2 calls while it reads or writes.
///
/// Each passes its part to the connection or to a stream of it.
enum HTTP2Callbacks {
    /// The length of a frame's header (RFC 9113, section 4.1).
    private static let headerLength = 9

    /// The functions for every session; libnghttp2 copies them.
    nonisolated(unsafe) static let all: OpaquePointer? = {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, headBegan)
        nghttp2_session_callbacks_set_on_header_callback(callbacks, fieldArrived)
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, fieldWasInvalid)
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, bytesArrived)
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frameArrived)
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, frameWasInvalid)
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
        nghttp2_session_callbacks_set_send_data_callback(callbacks, sendBody)
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frameSent)
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, frameNotSent)
        return callbacks
    }()

    private static func session(_ context: UnsafeMutableRawPointer?) -> HTTP2Session? {
        context.map { Unmanaged<HTTP2Session>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func connection(_ context: UnsafeMutableRawPointer?) -> HTTP2Connection? {
        session(context)?.connection
    }

    // MARK: Reading

    private static let headBegan: nghttp2_on_begin_headers_callback = { _, frame, context in
        guard let frame else { return 0 }
        let isRequest = frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
        connection(context)?.fieldsBegan(on: frame.pointee.hd.stream_id, ofRequest: isRequest)
        return 0
    }

    private static let fieldArrived: nghttp2_on_header_callback = {
        _, _, name, nameLength, value, valueLength, _, context in
        connection(context)?.streams.receiving?.fieldArrived(
            UnsafeBufferPointer(start: name, count: nameLength), UnsafeBufferPointer(start: value, count: valueLength))
        return 0
    }

    /// libnghttp2 would omit the field and report the rest.
    private static let fieldWasInvalid: nghttp2_on_invalid_header_callback = { _, _, _, _, _, _, _, _ in
        NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }

    private static let bytesArrived: nghttp2_on_data_chunk_recv_callback = { _, _, stream, bytes, count, context in
        connection(context)?.bytesArrived(UnsafeRawBufferPointer(start: bytes, count: count), on: stream)
        return 0
    }

    private static let frameArrived: nghttp2_on_frame_recv_callback = { _, frame, context in
        guard let frame, let connection = connection(context) else { return 0 }
        let header = frame.pointee.hd
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue: connection.fieldsEnded(on: header.stream_id, endsStream: endsStream)
        case NGHTTP2_DATA.rawValue where endsStream: connection.streams[header.stream_id]?.bodyEnded()
        case NGHTTP2_DATA.rawValue where header.length <= frame.pointee.data.padlen: connection.note(.emptyFrames)
        case NGHTTP2_PING.rawValue, NGHTTP2_SETTINGS.rawValue:
            if header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 { connection.note(.control) }
        case NGHTTP2_PRIORITY.rawValue: connection.note(.control)
        default: break
        }
        return 0
    }

    private static let frameWasInvalid: nghttp2_on_invalid_frame_recv_callback = { _, _, code, context in
        session(context)?.violation = code
        connection(context)?.note(code == NGHTTP2_ERR_REFUSED_STREAM.rawValue ? .refusals : .malformed)
        return 0
    }

    private static let streamClosed: nghttp2_on_stream_close_callback = { _, stream, _, context in
        connection(context)?.streamClosed(stream)
        return 0
    }

    // MARK: Writing

    static let readBody: nghttp2_data_source_read_callback = { _, stream, _, limit, flags, _, context in
        guard let flags, let connection = connection(context) else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        // `sendBody` moves the bytes from the stream's buffer to the connection's.
        flags.pointee = NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        switch connection.streams[stream]?.nextPiece(upTo: limit) ?? .broken {
        case .none: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        case .bytes(let count): return count
        case .last(let count):
            flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            return count
        case .lastBeforeTrailers(let count):
            flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            return count
        // libnghttp2 resets the stream then, with INTERNAL_ERROR.
        case .broken: return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
    }

    private static let sendBody: nghttp2_send_data_callback = { _, frame, header, count, _, context in
        guard let frame, let session = session(context), let connection = session.connection else {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        session.output.writeBytes(UnsafeRawBufferPointer(start: header, count: headerLength))
        connection.write(count, of: frame.pointee.hd.stream_id, to: &session.output)
        return session.isOutputFull ? NGHTTP2_ERR_PAUSE.rawValue : 0
    }

    private static let frameSent: nghttp2_on_frame_send_callback = { _, frame, context in
        guard let frame, case let header = frame.pointee.hd else { return 0 }
        if UInt32(header.type) == NGHTTP2_GOAWAY.rawValue, frame.pointee.goaway.error_code != 0 {
            session(context).map {
                $0.connection?.ending.failed(because: HTTP2Session.Failure(code: $0.violation).reason)
            }
        }
        let isHead = UInt32(header.type) == NGHTTP2_HEADERS.rawValue
        guard isHead || UInt32(header.type) == NGHTTP2_DATA.rawValue else { return 0 }
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        if isHead || endsStream { connection(context)?.streams[header.stream_id]?.partSent(endsStream: endsStream) }
        return 0
    }

    /// Resets a stream whose head or trailers cannot be sent: the client must notice that they are missing.
    private static let frameNotSent: nghttp2_on_frame_not_send_callback = { _, frame, code, context in
        guard let header = frame?.pointee.hd, UInt32(header.type) == NGHTTP2_HEADERS.rawValue else { return 0 }
        // The client has reset the stream already, or weir has.
        guard code != NGHTTP2_ERR_STREAM_CLOSED.rawValue, code != NGHTTP2_ERR_STREAM_CLOSING.rawValue else { return 0 }
        session(context)?.headFailed(on: header.stream_id)
        return 0
    }
}
