import Flow
import HTTPText
import NIOHTTP1

extension String {
    /// Whether this names a field of one connection, which is not forwarded (RFC 9110, section 7.6.1), as are those that
    /// `Connection` names.
    ///
    /// weir sends its own `TE` and `Trailer` where trailers can follow.
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
    /// Removes the fields of the connection on which they were received; without a copy if there are none.
    ///
    /// - Parameter isNamed: Whether there may be a field `Connection`.
    mutating func removeHopByHop(isNamed: Bool = true) {
        let named = isNamed ? namedByConnection : []
        func isKept(_ name: String) -> Bool {
            !name.isHopByHop && (named.isEmpty || !named.contains(name.lowercased()))
        }
        guard !allSatisfy({ isKept($0.name) }) else { return }
        var kept: [(String, String)] = []
        kept.reserveCapacity(count + 4)
        for (name, value) in self where isKept(name) { kept.append((name, value)) }
        self = HTTPHeaders(kept)
    }

    /// The names in `Connection`, in lower case.
    ///
    /// Except fields that frame and route the message: without its length a client would wait for an end that does not come.
    var namedByConnection: [String] {
        listed(in: "connection").map { $0.lowercased() }.filter { $0 != "content-length" && $0 != "host" }
    }
}

extension HTTPHeaders {
    /// Whether a member of a list, which may have several lines, satisfies a condition.
    func hasMember(of name: String, where condition: (Substring) -> Bool) -> Bool {
        for (field, line) in self where field.utf8.count == name.utf8.count && field.isField(name) {
            guard !line.contains(byte: UInt8(ascii: ",")) else {
                return self[canonicalForm: name].contains(where: condition)
            }
            if condition(line[...]) { return true }
        }
        return false
    }

    /// The members of a list, which may have several lines (RFC 9110, section 5.6.1).
    ///
    /// Most requests have no such field, or one line with one member, which NIO would split nevertheless.
    func listed(in name: String) -> [Substring] {
        let lines = self[name]
        guard let line = lines.first else { return [] }
        return lines.count == 1 && !line.contains(byte: UInt8(ascii: ",")) ? [line[...]] : self[canonicalForm: name]
    }
}

/// Adds weir's fields of a stream to the head that the upstream sent.
///
/// - Parameters:
///   - headers: End-to-end fields of the upstream's response.
///   - terms: The granted terms.
///   - id: The stream's id.
///   - limits: The route's limits on clients.
///   - quotas: The client's remaining quotas under these limits.
///   - unit: What the pace and the budgets count.
///   - totalItemsHeader: The field in which the route's upstream sends the number of records.
func addStreamFields(
    to headers: inout HTTPHeaders, terms: Terms, id: StreamId, limits: Admission.Limits, quotas: ClientQuotas,
    unit: String = "records", totalItemsHeader: String?
) {
    headers.replaceOrAdd(name: "X-Stream-Rate", value: terms.pace.text)
    headers.replaceOrAdd(name: "X-Stream-Buffer-Size", value: String(terms.buffer))
    headers.replaceOrAdd(name: "X-Stream-Id", value: id.text)
    if !headers.contains(name: "X-Stream-Total-Items"), let totalItemsHeader,
        let total = headers.first(name: totalItemsHeader), !total.isEmpty
    {
        headers.add(name: "X-Stream-Total-Items", value: total)
    }
    if let fields = RateLimitFields(terms: terms, limits: limits, quotas: quotas, unit: unit) {
        headers.replaceOrAdd(name: "RateLimit-Policy", value: fields.policy)
        headers.replaceOrAdd(name: "RateLimit", value: fields.state)
    }
    // Both ask intermediaries to pass records on as they arrive: the standard field (RFC 10036), and the one that nginx reads.
    headers.replaceOrAdd(name: "Incremental", value: "?1")
    headers.replaceOrAdd(name: "X-Accel-Buffering", value: "no")
}
