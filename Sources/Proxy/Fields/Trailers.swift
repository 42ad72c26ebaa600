import HTTPText
import NIOHTTP1

/// Fields that mean something only in front of a body, or to somebody who has decided by then (RFC 9110, section 6.5.1).
///
/// What frames and routes the message, what says who asks and under which conditions, what controls caches, and what tells
/// how the body is to be read. Servers that join trailers with the head would believe them unchecked.
private let fieldsOfHeads: Set<String> = [
    "accept", "accept-charset", "accept-encoding", "accept-language", "age", "authorization", "cache-control",
    "content-encoding", "content-length", "content-range", "content-type", "cookie", "date", "expires", "forwarded",
    "host",
    "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "location", "max-forwards",
    "pragma", "proxy-authenticate", "range", "retry-after", "set-cookie", "traceparent", "tracestate", "vary", "via",
    "www-authenticate",
]

extension HTTPHeaders {
    /// What of trailers goes on to the other side, either way.
    func passedOnAsTrailers() -> HTTPHeaders {
        guard !isEmpty else { return self }
        return HTTPHeaders(withoutHopByHop().filter { $0.name.mayBeTrailer })
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
        // Whom a proxy speaks for, and what weir itself says of a stream.
        return !fieldsOfHeads.contains(name) && !name.isSetByProxies && !name.hasPrefix("x-stream-")
    }
}
