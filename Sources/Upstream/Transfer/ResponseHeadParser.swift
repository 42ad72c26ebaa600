import Flow
import Glibc
import HTTPText
import NIOHTTP1

/// Reads the header lines that libcurl passes one by one, and rejects what RFC 9112 defines as malformed.
///
/// libcurl is lenient: it passes folded lines, blanks before the colon and contradictory lengths. A proxy that passed
/// them on would let the next parser in the chain guess otherwise, which is how responses are smuggled.
struct ResponseHeadParser {
    enum Step: Equatable {
        case more
        /// An informational head (1xx) is complete; others follow.
        case interim(UpstreamResponseHead)
        /// The final head is complete.
        case head(UpstreamResponseHead)
    }

    enum Failure: Error, Equatable {
        case malformed(String)
    }

    /// The most bytes of a response head, all 1xx heads before it included.
    ///
    /// nginx allows 4 to 8 KiB, Envoy 60 KiB.
    static let maximumBytes = 64 << 10

    /// Whether an answer may come over HTTP/2, whose head libcurl writes as one of HTTP/1 would be.
    private let takesHTTP2: Bool
    private var status = 0
    private var version = HTTPVersion.http1_1
    private var reason = ""
    private var fields: [(String, String)] = []
    private var names = FieldNames()
    private var contentLength: Int?
    private var isChunked = false
    private var bytes = 0
    private var isComplete = false
    /// The fields after a chunked body that have arrived (RFC 9112, section 7.1.2).
    private(set) var trailers = HTTPHeaders()

    /// Whether any line of a response has arrived.
    var hasBegun: Bool { bytes > 0 }

    init(takesHTTP2: Bool = false) { self.takesHTTP2 = takesHTTP2 }

    /// Parses one line with its line end; lines after the final head are trailers.
    mutating func line(_ raw: UnsafeRawBufferPointer) throws(Failure) -> Step {
        bytes += raw.count
        guard bytes <= Self.maximumBytes else { throw .malformed("the response head is larger than 64 KiB") }
        let line = Self.withoutEnd(raw)
        if isComplete {
            if !line.isEmpty {
                let field = try field(line)
                trailers.add(name: field.name, value: field.value)
            }
            return .more
        }
        guard !line.isEmpty else { return try headEnded() }
        if status == 0 && line.begins(with: "HTTP/") {
            try statusLine(line)
        } else {
            try fieldLine(line)
        }
        return .more
    }

    private static func withoutEnd(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var end = line.count
        if end > 0, line[end - 1] == 0x0A { end -= 1 }
        if end > 0, line[end - 1] == 0x0D { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: line[..<end])
    }

    /// RFC 9112, section 4: `HTTP/1.1 200 reason`.
    private mutating func statusLine(_ line: UnsafeRawBufferPointer) throws(Failure) {
        guard let blank = line.firstIndex(of: 0x20),
            let version = version(UnsafeRawBufferPointer(rebasing: line[..<blank])),
            let code = Self.status(line[(blank + 1)...].prefix { $0 != 0x20 })
        else { throw .malformed("the status line is not that of HTTP/1.1") }
        status = code
        self.version = version
        let text = UnsafeRawBufferPointer(rebasing: line[(blank + 1)...].dropFirst(4))
        guard text.isFieldValue else { throw .malformed("a reason phrase with control characters") }
        reason = FieldText.string(text)
    }

    private static func status(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard digits.count == 3, digits.allSatisfy(\.isDigit) else { return nil }
        let code = digits.reduce(0) { 10 * $0 + Int($1 - 0x30) }
        return (100...599).contains(code) ? code : nil
    }

    private func version(_ text: UnsafeRawBufferPointer) -> HTTPVersion? {
        if takesHTTP2, text.count == 6, text.begins(with: "HTTP/2") { return .http2 }
        guard text.count == 8, text.begins(with: "HTTP/1."), let minor = text.last, minor.isDigit else {
            return nil
        }
        return HTTPVersion(major: 1, minor: Int(minor - 0x30))
    }

    private mutating func fieldLine(_ line: UnsafeRawBufferPointer) throws(Failure) {
        guard status != 0 else { throw .malformed("a header line before the status line") }
        // Room for the fields of most responses: growing one by one would allocate several times.
        if fields.isEmpty { fields.reserveCapacity(16) }
        let field = try field(line), name = field.name, text = field.value
        names.insert(name)
        switch name.utf8.count {
        case 14 where name.isField("content-length"):
            // Of equal ones, only the first may be passed on (RFC 9110, section 8.6), and as one number.
            let isRepeated = contentLength != nil
            try length(text)
            guard !isRepeated, let contentLength else { return }
            // Mostly it is that number already.
            let isCanonical = text.utf8.first != UInt8(ascii: "0") && text.utf8.allSatisfy(\.isDigit)
            fields.append((name, isCanonical ? text : String(contentLength)))
            return
        case 17 where name.isField("transfer-encoding"): try coding(text)
        default: break
        }
        fields.append((name, text))
    }

    /// RFC 9112, section 5: `name: value`, no blank before the colon, no folding, no control characters.
    private func field(_ line: UnsafeRawBufferPointer) throws(Failure) -> FieldLine {
        do throws(FieldLine.Fault) {
            return try FieldLine(line)
        } catch {
            switch error {
            case .name: throw .malformed("a header line without a proper name")
            case .value: throw .malformed("a header value with control characters")
            }
        }
    }

    /// RFC 9112, section 6.3, rule 5: differing lengths are an error; a list of equal ones is one length.
    private mutating func length(_ text: String) throws(Failure) {
        if contentLength == nil, let value = Int(digits: text.utf8) { return contentLength = value }
        for member in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let value = Int(digits: member.trimmingOptionalWhitespace.utf8),
                contentLength == nil || contentLength == value
            else { throw .malformed("Content-Length is not one number") }
            contentLength = value
        }
    }

    /// Only `chunked` is taken: it is all that HTTP/1.1 servers send without a `TE` that asked for more.
    private mutating func coding(_ text: String) throws(Failure) {
        guard text[...].isCaseInsensitively("chunked"), !isChunked else {
            throw .malformed("Transfer-Encoding is not chunked")
        }
        isChunked = true
    }

    private mutating func headEnded() throws(Failure) -> Step {
        guard status != 0 else { throw .malformed("no status line") }
        // RFC 9112, section 6.3, rule 3: may be an attempt at response splitting, and ought to be an error.
        guard !(isChunked && contentLength != nil) else {
            throw .malformed("both Content-Length and Transfer-Encoding")
        }
        // RFC 9112, section 6.1: such a message has faulty framing.
        guard !(isChunked && version == .http1_0) else { throw .malformed("Transfer-Encoding in HTTP/1.0") }
        guard status != 101 else { throw .malformed("an upgrade that was not requested") }
        let announcesContent = isChunked || contentLength ?? 0 > 0
        if status < 200 || status == 204 { dropLength() }
        let head = UpstreamResponseHead(
            status: status, reason: reason, headers: HTTPHeaders(fields), names: names,
            contentLength: contentLength, isChunked: isChunked, version: version, announcesContent: announcesContent)
        // The head is their only owner, so that it can be changed without a copy.
        fields = []
        guard status >= 200 else {
            let seen = bytes
            self = ResponseHeadParser(takesHTTP2: takesHTTP2)
            bytes = seen
            return .interim(head)
        }
        isComplete = true
        return .head(head)
    }

    /// RFC 9110, section 8.6, and RFC 9112, section 6.1: such a response has no body, and neither field may be in it.
    private mutating func dropLength() {
        guard isChunked || contentLength != nil else { return }
        (isChunked, contentLength) = (false, nil)
        fields.removeAll { $0.0.isField("content-length") || $0.0.isField("transfer-encoding") }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func begins(with text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount, let baseAddress else { return false }
        return memcmp(baseAddress, text.utf8Start, text.utf8CodeUnitCount) == 0
    }
}
