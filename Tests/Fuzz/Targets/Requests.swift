import Downstream
import NIOCore
import NIOHTTP1

/// Requests of HTTP/1.1: what is taken can be sent on, its body is as long as its head says, and where the bytes are cut makes
/// no difference.
func checkRequests(_ input: UnsafeRawBufferPointer) throws {
    let whole = try Requests { read in try read(input) }
    let cut = try Requests { read in try input.cut(upTo: 7, seed: input.last ?? 0, read) }
    try require(whole == cut, "\(whole) in one piece, \(cut) in pieces")
}

private struct Requests: Equatable {
    private var heads: [DecodedHead] = []
    private var bodies: [[UInt8]] = []
    private var trailers: [HTTPHeaders] = []
    private var fault: RequestFault?
    private var decoder = RequestDecoder(limit: 512)
    private var bytes = ByteBuffer()

    init(_ pieces: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
        try pieces { piece in
            bytes.writeBytes(piece)
            try read()
        }
    }

    private mutating func read() throws {
        do throws(RequestFault) {
            while let part = try decoder.next(from: &bytes) { take(part) }
        } catch {
            fault = fault ?? error
        }
        for head in heads { try check(head) }
        for fields in trailers { try checkRequestFields(fields) }
        for (head, body) in zip(heads, bodies) {
            guard let length = head.bodyLength.bytes else { continue }
            try require(body.count <= length, "\(body.count) bytes of \(length)")
        }
        for (head, body) in zip(heads, bodies).prefix(trailers.count) {
            try require(head.bodyLength.bytes ?? body.count == body.count, "a body that is not complete")
        }
    }

    private mutating func take(_ part: RequestPart) {
        switch part {
        case .head(let head):
            heads.append(head)
            bodies.append([])
        case .body(let body): bodies[bodies.count - 1] += body.readableBytesView
        case .end(let fields): trailers.append(fields)
        }
    }

    private func check(_ decoded: DecodedHead) throws {
        let head = decoded.head
        try require(!head.method.rawValue.isEmpty && !head.uri.isEmpty, "an empty request line")
        try require(head.uri.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "target \(head.uri.debugDescription)")
        try checkRequestFields(head.headers)
        let lengths = head.headers["content-length"], codings = head.headers["transfer-encoding"]
        switch decoded.bodyLength {
        case .none: try require(lengths.isEmpty && codings.isEmpty, "no body with \(lengths) or \(codings)")
        case .length(let length): try require(lengths == ["\(length)"] && codings.isEmpty, "\(lengths) for \(length)")
        case .chunked: try require(lengths.isEmpty && codings.count == 1, "chunks with \(lengths) or \(codings)")
        }
    }

    static func == (left: Requests, right: Requests) -> Bool {
        left.heads == right.heads && left.bodies == right.bodies && left.trailers == right.trailers
            && left.fault == right.fault
    }
}

private func checkRequestFields(_ fields: HTTPHeaders) throws {
    for (name, value) in fields {
        try require(!name.isEmpty && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x3A }, "name \(name)")
        try require(
            value.unicodeScalars.allSatisfy {
                $0.value <= 0xFF && ($0.value >= 0x20 || $0 == "\t") && $0.value != 0x7F
            },
            "value \(value.debugDescription)")
        try require(value.first != " " && value.last != " ", "white space around \(value.debugDescription)")
    }
}
