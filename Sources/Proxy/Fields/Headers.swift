import Flow
import HTTPText
import NIOHTTP1

extension String {
    /// Whether this names a field of one connection, which is not passed on (RFC 9110, section 7.6.1); beside these are those
    /// that `Connection` names.
    ///
    /// `TE` and `Trailer` are told anew where trailers can follow.
    var isHopByHop: Bool {
        switch utf8.count {
        case 2: isField("te")
        case 6: isField("expect")
        case 7: isField("trailer") || isField("upgrade")
        case 10: isField("connection") || isField("keep-alive")
        case 16: isField("proxy-connection")
        case 17: isField("transfer-encoding")
        case 19: isField("proxy-authorization")
        default: false
        }
    }
}

extension HTTPHeaders {
    /// Without the fields that belong to the connection they came over.
    func withoutHopByHop() -> HTTPHeaders {
        let named = namedByConnection
        var kept: [(String, String)] = []
        kept.reserveCapacity(count + 4)
        for (name, value) in self where !name.isHopByHop && (named.isEmpty || !named.contains(name.lowercased())) {
            kept.append((name, value))
        }
        return HTTPHeaders(kept)
    }

    /// What `Connection` names, in lower case.
    ///
    /// Not what the message needs to be read and routed: a length that it took away would leave a client waiting for an end
    /// that does not come.
    var namedByConnection: [String] {
        listed(in: "connection").map { $0.lowercased() }.filter { $0 != "content-length" && $0 != "host" }
    }
}

extension HTTPHeaders {
    /// The members of a list that may stand in several lines (RFC 9110, section 5.6.1).
    ///
    /// Most requests do not have the field, or one line with one member: NIO would take that apart all the same.
    func listed(in name: String) -> [Substring] {
        let lines = self[name]
        guard let line = lines.first else { return [] }
        return lines.count == 1 && !line.contains(byte: UInt8(ascii: ",")) ? [line[...]] : self[canonicalForm: name]
    }
}

/// Adds what weir says of a stream to the head that the upstream sent.
///
/// - Parameters:
///   - headers: End-to-end fields of the upstream's response.
///   - terms: What was granted.
///   - id: The stream's id.
///   - limits: Those of this route on its clients.
///   - quotas: What the client has left of them.
///   - totalItemsHeader: The field in which this route's upstream tells the number of records.
func addStreamFields(
    to headers: inout HTTPHeaders, terms: Terms, id: StreamId, limits: Admission.Limits, quotas: ClientQuotas,
    totalItemsHeader: String?
) {
    headers.replaceOrAdd(name: "X-Stream-Rate", value: terms.pace.text)
    headers.replaceOrAdd(name: "X-Stream-Buffer-Size", value: String(terms.buffer))
    headers.replaceOrAdd(name: "X-Stream-Id", value: id.text)
    if !headers.contains(name: "X-Stream-Total-Items"), let totalItemsHeader,
        let total = headers.first(name: totalItemsHeader), !total.isEmpty
    {
        headers.add(name: "X-Stream-Total-Items", value: total)
    }
    if let fields = RateLimitFields(terms: terms, limits: limits, quotas: quotas) {
        headers.replaceOrAdd(name: "RateLimit-Policy", value: fields.policy)
        headers.replaceOrAdd(name: "RateLimit", value: fields.state)
    }
    headers.replaceOrAdd(name: "X-Accel-Buffering", value: "no")
}
