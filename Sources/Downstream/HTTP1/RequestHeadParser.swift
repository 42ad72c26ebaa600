import Flow
import HTTPText
import NIOHTTP1

/// Reads the head of one request, line by line as it arrives, and rejects what RFC 9112 does not allow.
///
/// It decides the framing of the body, once: everything that is forwarded is framed anew by that decision.
struct RequestHeadParser {
    /// The method, the target and the version.
    private var line: (method: HTTPMethod, target: String, version: HTTPVersion)?
    private var lines: LineBlock
    private var fields: [(String, String)] = []
    private var bodyLength = RequestBodyLength.none
    private var connection = ConnectionOptions()

    init(limit: Int) { lines = LineBlock(limit: limit) }

    /// Whether a part of the head has been taken.
    var hasBegun: Bool { line != nil }

    /// Takes the lines that are complete.
    ///
    /// - Parameters:
    ///   - bytes: What has arrived and has not been taken.
    ///   - count: Is set to the number of bytes taken.
    /// - Returns: The head, if its last line is among them.
    /// - Throws: Why this is no request.
    mutating func read(_ bytes: UnsafeRawBufferPointer, count: inout Int) throws(RequestFault) -> DecodedHead? {
        while let text = try lines.next(in: bytes.from(count)) {
            count += text.count + 2
            if line == nil {
                // RFC 9112, section 2.2: some clients send an empty line after a body. The limit bounds how many.
                if !text.isEmpty { try requestLine(text) }
            } else if text.isEmpty {
                return try ended()
            } else {
                try field(text)
            }
        }
        if line == nil { try Self.checkBegin(bytes.from(count)) }
        return nil
    }

    /// Rejects what cannot become a request line, such as the first bytes of TLS, whose end may not arrive.
    private static func checkBegin(_ bytes: UnsafeRawBufferPointer) throws(RequestFault) {
        guard let end = bytes.first(where: { !$0.isTokenByte }) else { return }
        let isEmptyLine = bytes.count == 1 && end == .carriageReturn
        guard isEmptyLine || end == UInt8(ascii: " ") && bytes[0] != end else { throw .malformed }
    }

    /// RFC 9112, section 3: `method SP target SP HTTP/1.1`, each space exactly one.
    private mutating func requestLine(_ text: UnsafeRawBufferPointer) throws(RequestFault) {
        // " HTTP/1.1"
        let versionLength = 9
        guard let space = text.firstIndex(of: UInt8(ascii: " ")), space > 0,
            text[..<space].allSatisfy(\.isTokenByte), text.count - versionLength > space + 1,
            let version = Self.version(text.from(text.count - versionLength))
        else { throw .malformed }
        let target = UnsafeRawBufferPointer(rebasing: text[(space + 1)..<(text.count - versionLength)])
        guard target.allSatisfy(\.isTargetByte) else { throw .malformed }
        let method = String(decoding: UnsafeRawBufferPointer(rebasing: text[..<space]), as: UTF8.self)
        line = (HTTPMethod(rawValue: method), String(decoding: target, as: UTF8.self), version)
        fields.reserveCapacity(16)
    }

    private static func version(_ text: UnsafeRawBufferPointer) -> HTTPVersion? {
        if text.equals(" HTTP/1.1") { return .http1_1 }
        return text.equals(" HTTP/1.0") ? .http1_0 : nil
    }

    private mutating func field(_ text: UnsafeRawBufferPointer) throws(RequestFault) {
        guard fields.count < Request.mostFields else { throw .tooManyFields }
        guard let version = line?.version, let field = try? FieldLine(text) else { throw .malformed }
        var value = field.value
        switch field.name.utf8.count {
        case 10 where field.name.isField("connection"): connection.add(value)
        case 14 where field.name.isField("content-length"): value = try String(bodyLength.readLength(value))
        case 17 where field.name.isField("transfer-encoding"): try bodyLength.readCoding(value, in: version)
        default: break
        }
        fields.append((field.name, value))
    }

    private func ended() throws(RequestFault) -> DecodedHead {
        guard let (method, target, version) = line else { throw .malformed }
        return DecodedHead(
            head: HTTPRequestHead(version: version, method: method, uri: target, headers: HTTPHeaders(fields)),
            bodyLength: bodyLength, isPersistent: connection.isPersistent(in: version))
    }
}

/// The options of `Connection` for the connection itself (RFC 9110, section 7.6.1).
private struct ConnectionOptions {
    private var close = false
    private var keepAlive = false

    mutating func add(_ value: String) {
        for member in value.split(separator: ",") {
            let option = member.trimmingOptionalWhitespace
            if option.isCaseInsensitively("close") { close = true }
            if option.isCaseInsensitively("keep-alive") { keepAlive = true }
        }
    }

    /// RFC 9112, section 9.3.
    func isPersistent(in version: HTTPVersion) -> Bool { !close && (version == .http1_1 || keepAlive) }
}
