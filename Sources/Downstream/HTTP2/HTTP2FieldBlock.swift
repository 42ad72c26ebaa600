import CNghttp2
import HTTPText
import NIOCore
import NIOHTTP1

/// The fields of a head or of trailers in the form of libnghttp2, which copies them.
///
/// One for each loop, so that a head costs no allocation after the largest one was sent.
struct HTTP2FieldBlock {
    /// Names and values in order; the pointers to them are set when the block is used.
    private var bytes = ByteBuffer()
    private var fields: [nghttp2_nv] = []

    mutating func removeAll() {
        bytes.clear()
        fields.removeAll(keepingCapacity: true)
    }

    /// Adds the fields that HTTP/2 has; libnghttp2 writes names in lower case.
    mutating func add(_ headers: HTTPHeaders) {
        for (name, value) in headers where !Self.isConnectionSpecific(name) { add(name, value) }
    }

    mutating func add(_ name: String, _ value: String) {
        fields.append(
            nghttp2_nv(
                name: nil, value: nil, namelen: write(name), valuelen: write(value),
                flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
    }

    private mutating func write(_ text: String) -> Int {
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: text.utf8.count) { target in
            target.baseAddress.map { FieldText.copy(text, to: $0) } ?? 0
        }
    }

    /// Passes the fields to libnghttp2; the pointers are valid for that call.
    mutating func withFields(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> CInt) -> CInt {
        bytes.withUnsafeMutableReadableBytes { bytes in
            var next = bytes.bindMemory(to: UInt8.self).baseAddress
            for index in fields.indices {
                fields[index].name = next
                next = next.map { $0 + fields[index].namelen }
                fields[index].value = next
                next = next.map { $0 + fields[index].valuelen }
            }
            return fields.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
        }
    }

    /// Whether HTTP/2 forbids this field (RFC 9113, section 8.2.2).
    private static func isConnectionSpecific(_ name: String) -> Bool {
        switch name.utf8.count {
        case 7: name.isField("upgrade")
        case 10: name.isField("connection") || name.isField("keep-alive")
        case 16: name.isField("proxy-connection")
        case 17: name.isField("transfer-encoding")
        default: false
        }
    }
}
