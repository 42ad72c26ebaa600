import HTTPText
import NIOHTTP1

/// Fields that are valid only before a body, or have effect only in a head (RFC 9110, section 6.5.1).
///
/// They frame, route, authorise or condition the message, control caches, or describe the body. Servers that merge
/// trailers with the head would trust them unchecked.
private let fieldsOfHeads: Set<String> = [
    "accept", "accept-charset", "accept-encoding", "accept-language", "age", "authorization", "cache-control",
    "content-encoding", "content-length", "content-range", "content-type", "cookie", "date", "expires", "forwarded",
    "host",
    "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "location", "max-forwards",
    "pragma", "proxy-authenticate", "range", "retry-after", "set-cookie", "traceparent", "tracestate", "vary", "via",
    "www-authenticate",
]

extension HTTPHeaders {
    /// The trailers that are forwarded, in either direction.
    func passedOnAsTrailers() -> HTTPHeaders {
        guard !isEmpty else { return self }
        var kept = self
        kept.removeHopByHop()
        return HTTPHeaders(kept.filter { $0.name.mayBeTrailer })
    }

    /// The fields of a request's trailers that are forwarded: those that may be in its head, too.
    func passedOnAsRequestTrailers() -> HTTPHeaders {
        guard !isEmpty else { return self }
        return HTTPHeaders(passedOnAsTrailers().filter { !$0.name.isAmbiguousField })
    }

    /// The fields that `Trailer` announces, and that a request's trailers can have (RFC 9110, section 6.6.2).
    var announcedTrailers: [Substring] {
        listed(in: "trailer").map(\.trimmingOptionalWhitespace).filter { name in
            let name = String(name)
            return !name.isEmpty && name.utf8.allSatisfy(\.isTokenByte) && !name.isHopByHop && name.mayBeTrailer
                && !name.isAmbiguousField
        }
    }
}

extension String {
    /// Whether a trailer field may have this name.
    fileprivate var mayBeTrailer: Bool {
        let name = lowercased()
        // The fields of proxies, and weir's own fields of a stream.
        return !fieldsOfHeads.contains(name) && !name.isSetByProxies && !name.hasPrefix("x-stream-")
    }
}
